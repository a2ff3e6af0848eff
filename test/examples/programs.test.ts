import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type BuiltPackage,
  buildPackage,
  killStarted,
  type Running,
  start,
  untilOutput,
} from '../cli/support/package.js'

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

let built: BuiltPackage
let cluster: EmbeddedKafka
beforeAll(async () => {
  built = await buildPackage()
  await mkdir(join(rootOf(built), 'examples'))
})
afterAll(() => built.remove())
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: { style: 'kraft', createdAfter: 2, partitions: 3 } })
})
afterEach(async () => {
  killStarted()
  await cluster.close({ clients: 'may-stay' })
})

/** Where `buildPackage` put dist/cli/main.js. */
const rootOf = ({ command }: BuiltPackage): string => dirname(dirname(dirname(command)))

const program = async (name: string) => {
  const path = join(rootOf(built), 'examples', `${name}.mjs`)
  await copyFile(join(examples, `${name}.mjs`), path)
  return start([path], { KAFKA_BROKERS: cluster.bootstrap.join(',') })
}

const untilSaid = async (running: Running, words: string) => {
  const { output, child } = running
  while (!output.out.includes(words)) {
    if (child.exitCode !== null || /"level":"ERROR"/.test(output.out))
      throw new Error(`it ended: ${output.out}${output.err}`)
    await untilOutput(running, 'stdout')
  }
}

const values = (topic: string) =>
  cluster.records(topic, undefined, 'committed').map(each => String(each.value))

const ended = async (name: string) => {
  const { output, ended: status } = await program(name)
  expect({ status: await status, err: output.err }).toEqual({ status: 0, err: '' })
  return output.out
}

describe('the programs of examples/', () => {
  it('basic: writes a record to a topic that does not exist', async () => {
    expect(await ended('basic')).toMatch(/^written to orders, partition \d, offset 0\n$/)
    expect(values('orders')).toEqual(['{"id":7}'])
  })

  it('keyed: keeps the order of one key', async () => {
    expect(await ended('keyed')).toBe('three states, in order\n')
    const records = cluster.records('order-states')
    expect(new Set(records.map(each => each.partition)).size).toBe(1)
    expect(records.map(each => String(each.value))).toEqual(['placed', 'paid', 'sent'])
  })

  it('stream: ends when all are acknowledged', async () => {
    expect(await ended('stream')).toBe('10000 readings to 3 topics\n')
    expect([0, 1, 2].map(each => values(`sensor-${each}`).length)).toEqual([3334, 3333, 3333])
  })

  it('transaction: commits what it made of a batch together with how far it went', async () => {
    await ended('basic')
    const running = await program('transaction')
    await untilSaid(running, 'orders up to offset 1')
    expect(values('totals')).toEqual(['1'])
    const admin = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const [offsets] = await admin.fetchOffsets({ groupId: 'totals', topics: ['orders'] })
    await admin.disconnect()
    expect(offsets!.partitions.map(each => each.offset).filter(each => each !== '-1')).toEqual(['1'])
    const [request] = cluster.journal.of('TxnOffsetCommit')
    expect(request!.body).toMatchObject({ generationId: 1, memberId: expect.stringMatching(/./) })
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(0)
  })

  it('metrics: shows what became of its records', async () => {
    const running = await program('metrics')
    await untilOutput(running, 'stdout')
    const port = /^port (\d+)\n$/.exec(running.output.out)![1]
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    expect(text).toMatch(/^kafka_resilient_producer_records_sent_total(\{.*\})? 2$/m)
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(0)
  })
})
