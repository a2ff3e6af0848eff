import { inspect } from 'node:util'
import { Kafka, type LogEntry, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { changed, EmbeddedKafka, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/** What would forge a line of a log, a label of a metric, or what a terminal shows. */
const HOSTILE = [
  'a\nERROR forged',
  'a\r\nforged 1',
  'a"} 1\nforged{x="',
  '\u001b[2Jforged',
  'a\u2028forged',
  '__proto__\n',
  'x'.repeat(100_000),
]

let cluster: EmbeddedKafka
beforeEach(async () => {
  cluster = await EmbeddedKafka.start()
})
afterEach(() => cluster.close())

const watched = () => {
  const lines: string[] = []
  const registry = new Registry()
  const kafka = new Kafka({
    brokers: cluster.bootstrap,
    logLevel: logLevel.DEBUG,
    logCreator: () => (entry: LogEntry) => lines.push(entry.log.message),
  })
  const producer = createResilientProducer(kafka, { metrics: { registry, topicLabel: 'all' } })
  return { producer, lines, registry }
}

const isOneShortLine = (text: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) && text.length < 3000

describe.each(HOSTILE.map(name => [inspect(name.slice(0, 20)), name]))('the name %s', (_, name) => {
  test('is refused as a topic at every way in, and forges no line and no label', async () => {
    const { producer, lines, registry } = watched()
    await producer.connect()
    const messages = [{ value: 'v' }]
    const writable = producer.writable()
    const ways: [string, () => unknown][] = [
      ['send', () => producer.send({ topic: name, messages })],
      [
        'sendBatch',
        () =>
          producer.sendBatch({
            topicMessages: [
              { topic: 'good', messages },
              { topic: name, messages },
            ],
          }),
      ],
      ['enqueue', async () => producer.enqueue(name, { value: 'v' })],
      ['no array', () => producer.send({ topic: name, messages: 5 as never })],
      [
        'writable',
        () => new Promise((_, reject) => writable.once('error', reject).write({ topic: name, value: 'v' })),
      ],
    ]
    for (const [way, call] of ways) {
      const error = await Promise.resolve(call()).then(
        () => expect.fail(`${way} took it`),
        (each: Error) => each,
      )
      expect(isOneShortLine(error.message), `${way}: ${error.message}`).toBe(true)
    }
    await producer.disconnect()
    expect(lines.filter(line => !isOneShortLine(line))).toEqual([])
    expect(await registry.metrics()).not.toContain('forged')
    expect(cluster.journal.of('Metadata').flatMap(({ topics }) => topics ?? [])).not.toContain(name)
    expect(cluster.records('good')).toEqual([])
  })

  test('is a header’s name and a key as it stands', async () => {
    cluster.createTopic('good')
    const { producer, lines, registry } = watched()
    await producer.connect()
    await producer.send({ topic: 'good', messages: [{ key: name, value: 'v', headers: { [name]: name } }] })
    const refused = producer.send({
      topic: 'good',
      messages: [{ key: name, value: 'v', headers: { [name]: 5 as never } }],
    })
    const error = await refused.catch((each: Error) => each)
    expect(isOneShortLine((error as Error).message)).toBe(true)
    await producer.disconnect()
    const [record] = cluster.records('good')
    expect(`${record?.key}`).toBe(name)
    expect(record?.headers.map(({ key, value }) => [key, `${value}`])).toEqual([[name, name]])
    expect(lines.filter(line => !isOneShortLine(line))).toEqual([])
    expect(await registry.metrics()).not.toContain('forged')
  })
})

test('what a broker says in its own words forges no line either', async () => {
  const words = 'no\nERROR forged'
  cluster.createTopic('good')
  cluster.on('Produce', errorCode(ERROR.INVALID_RECORD))
  const { producer, lines, registry } = watched()
  await producer.connect()
  cluster.on(
    'Produce',
    changed(response => ({
      ...response,
      responses: response.responses.map(each => ({
        ...each,
        partitionResponses: each.partitionResponses.map(answer => ({
          ...answer,
          errorCode: ERROR.POLICY_VIOLATION,
          errorMessage: words,
          recordErrors: [{ batchIndex: 0, batchIndexErrorMessage: words }],
        })),
      })),
    })),
  )
  for (let i = 0; i < 2; i++) {
    const sent = producer.send({ topic: 'good', messages: [{ value: 'v' }] })
    const error = await sent.catch((each: Error) => each)
    expect(isOneShortLine((error as Error).message)).toBe(true)
  }
  await producer.disconnect()
  expect(lines.filter(line => !isOneShortLine(line))).toEqual([])
  expect(await registry.metrics()).not.toContain('forged')
})
