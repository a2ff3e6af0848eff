import { Kafka, logLevel } from 'kafkajs'
import {
  checkDelivery,
  EmbeddedKafka,
  type SentRecord,
  type StoredRecord,
} from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'

/** Records of one topic by partition: `ids[0]` is what partition 0 holds, in order. */
const log = (...ids: string[][]): StoredRecord[] =>
  ids.flatMap((each, partition) =>
    each.map((id, offset) => ({
      topic: 't',
      partition,
      offset,
      key: null,
      value: Buffer.from(id),
      headers: [],
      timestamp: 0,
      producerId: -1,
      producerEpoch: -1,
      sequence: -1,
    })),
  )

const sent = (...ids: (string | Omit<SentRecord, 'topic'>)[]): SentRecord[] =>
  ids.map(each => ({ topic: 't', ...(typeof each === 'string' ? { id: each } : each) }))

const kinds = (records: SentRecord[], stored: StoredRecord[]) =>
  checkDelivery(records, stored).faults.map(({ kind, id }) => `${kind} ${id}`)

describe('the check finds', () => {
  test('nothing where every record is there once, in order, partition by partition', () => {
    const report = checkDelivery(sent('a', 'b', 'c', 'd'), log(['a', 'c'], ['b', 'd']))
    expect(report).toMatchObject({ ok: true, sent: 4, stored: 4, faults: [] })
    expect(() => report.assert()).not.toThrow()
  })

  test('a planted loss', () => {
    const report = checkDelivery(sent('a', 'b'), log(['a']))
    expect(report.faults).toMatchObject([{ kind: 'lost', topic: 't', id: 'b' }])
    expect(() => report.assert()).toThrow('2 sent, 1 stored: 1 lost\n  lost: t b')
  })

  test('a planted double, in one partition or two', () => {
    expect(kinds(sent('a', 'b'), log(['a', 'b', 'b']))).toEqual(['duplicated b'])
    expect(kinds(sent('a', 'b'), log(['a', 'b'], ['b']))).toEqual(['duplicated b'])
  })

  test('a planted reorder, and does not take a double for one', () => {
    expect(kinds(sent('a', 'b', 'c'), log(['b', 'a', 'c']))).toEqual(['reordered a'])
    expect(kinds(sent('a', 'b', 'c'), log(['b', 'c', 'a']))).toEqual(['reordered a'])
    expect(kinds(sent('a', 'b'), log(['a', 'b', 'a']))).toEqual(['duplicated a'])
  })

  test('records that nobody sent', () => {
    expect(kinds(sent('a'), log(['a', 'x']))).toEqual(['not-sent x'])
  })

  test('an acknowledgement that names another place', () => {
    const right = { id: 'a', partition: 1, offset: '0' }
    expect(kinds(sent(right), log([], ['a']))).toEqual([])
    expect(kinds(sent({ ...right, offset: 1n }), log([], ['a']))).toEqual(['misplaced a'])
    expect(kinds(sent({ ...right, partition: 0 }), log([], ['a']))).toEqual(['misplaced a'])
  })

  test('a record that was said not to be written', () => {
    expect(kinds(sent({ id: 'a', outcome: 'not-written' }), log([]))).toEqual([])
    expect(kinds(sent({ id: 'a', outcome: 'not-written' }), log(['a']))).toEqual(['written-though-refused a'])
  })

  test('a double of a record of unknown outcome, and nothing else of it', () => {
    const unknown = { id: 'a', outcome: 'unknown' } as const
    expect(kinds(sent(unknown), log([]))).toEqual([])
    expect(kinds(sent(unknown), log(['a']))).toEqual([])
    expect(kinds(sent(unknown), log(['a', 'a']))).toEqual(['duplicated a'])
  })

  test('its own misuse: two sent records of one id', () => {
    expect(() => checkDelivery(sent('a', 'a'), [])).toThrow('two sent records of t have the id a')
  })
})

test('a record’s id is its header, else its value, or what a function says', () => {
  const [record] = log(['value'])
  const named = { ...record!, headers: [{ key: 'id', value: Buffer.from('h') }], key: Buffer.from('k') }
  expect(checkDelivery(sent('h'), [named]).ok).toBe(true)
  expect(checkDelivery(sent('k'), [named], { identity: ({ key }) => `${key}` }).ok).toBe(true)
})

test('a cluster checks its own logs', async () => {
  const cluster = await EmbeddedKafka.start({ autoCreate: { createdAfter: 0 } })
  const producer = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const metadata = await producer.send({ topic: 't', messages: [{ value: 'a' }, { value: 'b' }] })
  await producer.disconnect()
  const first = { topic: 't', id: 'a', partition: 0, offset: metadata[0]!.baseOffset! }
  cluster.check([first, { topic: 't', id: 'b' }]).assert()
  expect(cluster.check([first]).faults).toMatchObject([{ kind: 'not-sent', id: 'b' }])
  expect(cluster.check([{ topic: 'other', id: 'x' }]).faults).toMatchObject([{ kind: 'lost', id: 'x' }])
  await cluster.close()
})
