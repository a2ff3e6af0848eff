import { compare } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

const PEERS = {
  confluent: [contenders.CONFLUENT, contenders.CONFLUENT_TUNED, contenders.CONFLUENT_IDEMPOTENT],
  kafkajs: [contenders.KAFKAJS],
  platformatic: [contenders.PLATFORMATIC, contenders.PLATFORMATIC_TUNED, contenders.PLATFORMATIC_NEWEST],
  rdkafka: [contenders.RDKAFKA, contenders.RDKAFKA_TUNED_ROW],
  kafkaTs: [contenders.KAFKA_TS],
  kafkaCrab: [contenders.KAFKA_CRAB],
}
const OURS = [
  contenders.OURS,
  contenders.OURS_BEFORE,
  contenders.OURS_PLAIN,
  contenders.OURS_ENQUEUE,
  contenders.OURS_NODE_24,
]

export const question: Question = {
  name: 'one-send',
  asks: 'One send() a record, 100 bytes: against the Kafka clients for Node',
  minutes: 6,
  run: options => {
    const { chosen, skipped } = contenders.select([...OURS, ...Object.values(PEERS).flat()], options.only)
    const entrants = chosen.map(each => nodeEntrant(each, plainConditions(options), options))
    const among = (peers: readonly contenders.Contender[]) =>
      entrants.filter(({ id }) => peers.some(peer => peer.id === id))
    const claim = (
      what: string,
      peers: readonly contenders.Contender[],
      bar: number,
      goal: number,
      ours = contenders.OURS,
    ) => ({
      what,
      ours: ours.id,
      against: among(peers),
      bar,
      goal,
    })
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants,
        reference: contenders.OURS.id,
        conditions: [`${options.valueBytes}-byte values, no keys, no compression, 6 partitions`],
        skipped,
        claims: [
          claim('ours to @confluentinc/kafka-javascript', PEERS.confluent, 10, 15),
          claim('ours to kafkajs', PEERS.kafkajs, 100, 150),
          claim('ours to @platformatic/kafka', PEERS.platformatic, 100, 150),
          claim(
            'ours to @platformatic/kafka 2.12, both on Node 24',
            [contenders.PLATFORMATIC_NEWEST],
            100,
            150,
            contenders.OURS_NODE_24,
          ),
          claim('ours to node-rdkafka', PEERS.rdkafka, 4, 8),
          claim('ours to kafka-ts', PEERS.kafkaTs, 10, 100),
          claim('ours to kafka-crab-js, both on Node 24', PEERS.kafkaCrab, 4, 10, contenders.OURS_NODE_24),
          claim('ours to the build before', [contenders.OURS_BEFORE], 0.97, 1.1),
          claim(
            'ours, enqueue(), to node-rdkafka: a callback a record on both sides',
            PEERS.rdkafka,
            4,
            8,
            contenders.OURS_ENQUEUE,
          ),
        ],
      },
      options,
    )
  },
}
