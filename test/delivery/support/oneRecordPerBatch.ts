import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { TOPIC, type World } from './world.js'

/** One record a batch; a flush closes the last. */
export const ONE_A_BATCH = { batchRecords: 1, maxInFlightPerBroker: 20 }

export const send = (producer: ResilientProducer, value: string, partition = 0, topic = TOPIC) =>
  producer.send({ topic, messages: [{ value, partition }] })

/** Each value in a batch of its own. */
export const sendEach = (producer: ResilientProducer, values: readonly string[], partition = 0) => {
  const sends = values.map(value => send(producer, value, partition))
  for (const each of sends) each.catch(() => {})
  void producer.flush()
  return sends
}

/** Sequences of the batches as they were sent, a resend as often as it came. */
export const trailOf = (world: World, partition = 0) =>
  world
    .sent(TOPIC)
    .filter(each => each.partition === partition)
    .map(({ epoch, sequence, values }) => `${values.join('')}@${epoch}:${sequence}`)
