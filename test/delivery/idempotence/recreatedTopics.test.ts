import type { ResilientProducer, ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { changed, hold, type RequestOf } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../support/world.js'

/*
 * A topic that was deleted and created again is another one. From Produce 13 on a request names its topic by id, so that
 * one which comes late can not be taken for a request to the new topic.
 */
let world: World
afterEach(() => world.end())

const PATIENT: ResilientProducerOptions = { topics: { create: 'never', waitForMs: 60_000 }, batchRecords: 1 }
const IDS = 13

const send = (producer: ResilientProducer, value: string, topic = TOPIC) => {
  const sent = producer.send({ topic, messages: [{ value, partition: 0 }] })
  sent.catch(() => {})
  return sent
}

/** Time for the metadata requests that find out. */
const settle = async (seconds = 3) => {
  for (let i = 0; i < seconds * 4; i++) {
    await pass(250)
    await turns(10)
  }
}

const requests = () =>
  world.cluster.journal.of('Produce').map(({ version, body }) => ({
    version,
    topicIds: (body as RequestOf<'Produce'>).topicData.map(({ topicId }) => topicId),
  }))

const start = async (versions: Record<string, number> = {}, brokers = 1) => {
  world = await World.withClock({ brokers, maxVersions: versions })
}

describe('a topic that is deleted and created again while requests wait at the broker', () => {
  const values = ['a', 'b', 'c', 'd', 'e']

  test('gets what the old one refused, in order: nothing is taken for its first record that is not', async () => {
    await start()
    world.topic()
    const producer = await world.confirmed(PATIENT)
    const [beginning, end] = [world.cluster.gate(), world.cluster.gate()]
    world.onRecord('a', hold(beginning))
    world.onRecord('e', hold(end))
    const sends = values.map(value => send(producer, value))
    await world.until(producer, 'requests_in_flight', 5)
    world.cluster.deleteTopic(TOPIC)
    beginning.open()
    // The first four are refused by the end of the old topic; the fifth meets the new one.
    await end.arrived
    world.topic()
    end.open()
    await settle()
    await Promise.all(sends)
    expect(world.stored()).toEqual(values)
    const [first, ...others] = requests()
    expect(others.slice(0, 5)).toEqual(Array(5).fill({ ...first, version: IDS }))
    expect(others.at(-1)!.topicIds).not.toEqual(first!.topicIds)
  })

  test('gets the batches of unknown outcome under their sequences, and what stands between them', async () => {
    await start()
    world.topic()
    const producer = await world.confirmed(PATIENT)
    const gate = world.cluster.gate()
    // The first is written to the old topic, and nobody hears of it.
    world.onRecord('a', async (request, next) => {
      await next()
      world.cluster.recreateTopic(TOPIC)
      await gate.wait(request.stopped)
      request.drop()
      return null
    })
    const sends = values.map(value => send(producer, value))
    await world.until(producer, 'requests_in_flight', 5)
    gate.open()
    await settle()
    await Promise.all(sends)
    expect(world.stored()).toEqual(values)
    const identities = world.sent().filter(each => each.values[0] === 'a')
    expect(identities).toHaveLength(2)
    expect(identities[1]).toMatchObject({ epoch: identities[0]!.epoch, sequence: identities[0]!.sequence })
  })

  test('does not count the old one’s acknowledgements as its own', async () => {
    await start()
    world.topic()
    const producer = await world.confirmed({ ...PATIENT, metadataMaxAgeMs: 1000 })
    const gate = world.cluster.gate()
    world.onRecord('a', async (request, next) => {
      const response = await next()
      world.cluster.recreateTopic(TOPIC)
      await gate.wait(request.stopped)
      return response
    })
    const first = send(producer, 'a')
    await gate.arrived
    // The producer learns of the new topic before it hears of the old one's last record.
    await settle(2)
    const later = ['b', 'c', 'd'].map(value => send(producer, value))
    await turns()
    const held = world.cluster.gate()
    world.onRecord('b', hold(held))
    gate.open()
    await expect(first).resolves.toMatchObject([{ baseOffset: '1' }])
    await held.arrived
    await turns(10)
    // The new topic has acknowledged nothing: one batch alone is under way to it.
    expect(world.sent().map(each => each.values[0])).toEqual(['first', 'a', 'b'])
    held.open()
    await Promise.all(later)
    expect(world.stored()).toEqual(['b', 'c', 'd'])
    expect(world.sent().at(-3)).toMatchObject({ epoch: 1, sequence: 0 })
  })
})

test('a topic that was created anew while nothing was sent begins with sequence 0 of a new epoch', async () => {
  await start()
  world.topic()
  const producer = await world.confirmed(PATIENT)
  world.cluster.recreateTopic(TOPIC)
  const sent = send(producer, 'a')
  await settle()
  await sent
  expect(world.stored()).toEqual(['a'])
  // How often it is refused until the metadata is there depends on whose answer comes first.
  const numbered = world.sent().map(({ values, epoch, sequence }) => `${values[0]} ${epoch} ${sequence}`)
  expect([...new Set(numbered)]).toEqual(['first 0 0', 'a 0 1', 'a 1 0'])
  expect(numbered.filter(each => each === 'a 1 0')).toHaveLength(1)
})

test('a late request to a topic of the same request that is gone leaves the others alone', async () => {
  await start()
  world.topic()
  world.topic({}, 'other')
  const producer = await world.confirmed({ ...PATIENT, topics: { create: 'never', waitForMs: 500 } })
  await send(producer, 'first', 'other')
  world.cluster.deleteTopic(TOPIC)
  const [gone, delivered] = [send(producer, 'a'), send(producer, 'b', 'other')]
  await delivered
  await settle()
  await expect(gone).rejects.toMatchObject({ name: 'UnknownTopicError', outcome: 'not-written' })
  expect(world.stored(0, 'other')).toEqual(['first', 'b'])
})

test('answers are given to their topics whatever their order', async () => {
  await start()
  const topics = Array.from({ length: 20 }, (_, i) => `topic-${i}`)
  for (const topic of topics) world.topic({}, topic)
  const producer = await world.connect(PATIENT)
  await Promise.all(topics.map(topic => send(producer, 'first', topic)))
  world.onRecord(
    'second',
    changed(response => ({
      ...response,
      responses: response.responses.toSorted((a, b) => (a.topicId! < b.topicId! ? -1 : 1)),
    })),
    Infinity,
  )
  // All in one request; each topic's offset tells its answer from the others'.
  await Promise.all(
    topics.flatMap((topic, i) => Array.from({ length: i }, () => send(producer, 'fill', topic))),
  )
  const sent = await Promise.all(topics.map(topic => send(producer, 'second', topic)))
  expect(sent.map(([each]) => [each!.topicName, each!.baseOffset])).toEqual(
    topics.map((topic, i) => [topic, `${i + 1}`]),
  )
  world.forgetRules()
})

describe('topics go by their names', () => {
  test.each([
    ['where the broker takes no ids', { Produce: 12 }],
    ['where the broker tells no ids', { Metadata: 9 }],
  ])('%s', async (_where, versions) => {
    await start(versions)
    world.topic()
    const producer = await world.confirmed(PATIENT)
    world.cluster.recreateTopic(TOPIC)
    const sent = send(producer, 'a')
    await settle()
    await sent
    expect(world.stored()).toEqual(['a'])
    for (const { version, topicIds } of requests())
      expect({ version, topicIds }).toEqual({ version: 12, topicIds: ['0'.repeat(32)] })
  })
})
