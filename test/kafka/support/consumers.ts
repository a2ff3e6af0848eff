import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { IHeaders, Message } from 'kafkajs'
import { hasCommand, hasJars, jarsFolder } from '../cluster/kafkaHome.js'
import { defaultKafkaVersion, isOlder } from '../cluster/version.js'
import { within } from '../cluster/wait.js'
import type { TestBroker } from '../testBroker.js'
import { uniqueTopic } from '../testBroker.js'

/** A record as any consumer shows it, all of it as text. */
export interface SeenRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** Long enough for a Java process on a machine that does much else. */
const timeoutMs = 120_000
const run = promisify(execFile)

const text = (value: string | Buffer | null | undefined): string | null =>
  value === null || value === undefined ? null : value.toString()

/** A header with several values is one header a value. */
const headerPairs = (headers: IHeaders = {}): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each): [string, string] => [name, text(each) ?? '']),
  )

/** The message as a consumer should see it. */
export const seen = (message: Message, partition: number, offset: number): SeenRecord => ({
  partition,
  offset,
  timestamp: Number(message.timestamp),
  key: text(message.key),
  value: text(message.value),
  headers: headerPairs(message.headers),
})

const inOrder = (records: readonly SeenRecord[]): SeenRecord[] =>
  records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)

/** Reads so many records by kafkajs's own consumer. */
export async function readByKafkajs(broker: TestBroker, topic: string, count: number): Promise<SeenRecord[]> {
  const consumer = broker.helper().consumer({ groupId: uniqueTopic('reader'), allowAutoTopicCreation: false })
  const records: SeenRecord[] = []
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const all = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
        // A coordinator that is still loading, on a broker's first group: the consumer starts again by itself.
        if (!restart) reject(error)
      })
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ partition, message }) => {
            const { key, value, offset, timestamp, headers } = message
            records.push({
              partition,
              offset: Number(offset),
              timestamp: Number(timestamp),
              key: text(key),
              value: text(value),
              headers: headerPairs(headers),
            })
            if (records.length === count) resolve()
          },
        })
        .catch(reject)
    })
    await within(timeoutMs, `reading ${count} records of ${topic}`, all)
  } finally {
    await consumer.disconnect()
  }
  return inOrder(records)
}

export const hasKcat = (): Promise<boolean> => hasCommand('kcat', '-V')

interface KcatRecord {
  readonly partition: number
  readonly offset: number
  readonly ts: number
  readonly headers?: readonly string[]
  readonly key: string | null
  readonly payload: string | null
}

/** Reads a topic to its end by kcat (librdkafka). */
export async function readByKcat(broker: TestBroker, topic: string): Promise<SeenRecord[]> {
  const args = ['-C', '-b', broker.bootstrap.join(','), '-t', topic, '-o', 'beginning', '-e', '-q', '-J']
  const { stdout } = await run('kcat', args, { timeout: timeoutMs, maxBuffer: 2 ** 28 })
  const records = stdout
    .split('\n')
    .filter(line => line !== '')
    .map((line): SeenRecord => {
      const { partition, offset, ts, headers = [], key, payload } = JSON.parse(line) as KcatRecord
      const pairs = headers.flatMap((name, at): [string, string][] =>
        at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : [],
      )
      return { partition, offset, timestamp: ts, key, value: payload, headers: pairs }
    })
  return inOrder(records)
}

const kafkaVersion = process.env.KAFKA_VERSION ?? defaultKafkaVersion

/** Whether Kafka's own Java tools can be run here: as where a broker was started from, or its image was built. */
export const hasJavaTools = async (): Promise<boolean> =>
  hasJars(kafkaVersion) && hasCommand('java', '-version')

/** Both were classes of Kafka's core once, the consumer until 3.8. */
const tools = {
  'console-consumer': isOlder(kafkaVersion, '3.8')
    ? 'kafka.tools.ConsoleConsumer'
    : 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'console-producer': isOlder(kafkaVersion, '4.0')
    ? 'kafka.tools.ConsoleProducer'
    : 'org.apache.kafka.tools.ConsoleProducer',
}

/** Runs one of Kafka's own Java tools with this on its standard input. */
export async function runJavaTool(
  tool: keyof typeof tools,
  args: readonly string[],
  input = '',
): Promise<string> {
  const jvm = [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dfile.encoding=UTF-8',
    '-Dstdout.encoding=UTF-8',
  ]
  const started = run('java', [...jvm, '-cp', join(jarsFolder(kafkaVersion), '*'), tools[tool], ...args], {
    timeout: timeoutMs,
    maxBuffer: 2 ** 28,
  })
  started.child.stdin?.end(input)
  return (await started).stdout
}

const nothing = '<null>'

/** Reads so many records by Java's console consumer. Keys, values and headers must be without tabs, commas and line ends. */
export async function readByJava(broker: TestBroker, topic: string, count: number): Promise<SeenRecord[]> {
  const shown = ['timestamp', 'partition', 'offset', 'headers', 'key', 'value']
  const properties = [...shown.map(each => `print.${each}=true`), `null.literal=${nothing}`]
  const out = await runJavaTool('console-consumer', [
    ...['--bootstrap-server', broker.bootstrap.join(','), '--topic', topic, '--from-beginning'],
    ...['--max-messages', String(count), '--timeout-ms', String(timeoutMs)],
    ...properties.flatMap(each => ['--property', each]),
  ])
  const orNull = (field: string | undefined) => (field === nothing ? null : (field ?? ''))
  const records = out
    .split('\n')
    // Newer versions also print that an option is deprecated.
    .filter(line => /^\w+Time:\d+\t/.test(line))
    .map((line): SeenRecord => {
      const [timestamp, partition, offset, headers, key, value] = line.split('\t')
      const after = (field: string | undefined) => Number(field?.slice(field.indexOf(':') + 1))
      return {
        partition: after(partition),
        offset: after(offset),
        timestamp: after(timestamp),
        key: orNull(key),
        value: orNull(value),
        headers:
          headers === 'NO_HEADERS'
            ? []
            : (headers ?? '').split(',').map(each => each.split(':') as [string, string]),
      }
    })
  return inOrder(records)
}
