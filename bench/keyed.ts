import { compare } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { beforeClaim, nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

const VALUE_BYTES = 1024

export const question: Question = {
  name: 'keyed',
  asks: 'One send() a record, keyed, two headers, 1 KB',
  minutes: 3,
  run: options => {
    const { chosen, skipped } = contenders.select(
      [
        contenders.OURS,
        contenders.OURS_BEFORE,
        contenders.OURS_PLAIN,
        contenders.CONFLUENT,
        contenders.CONFLUENT_TUNED,
        contenders.RDKAFKA,
      ],
      options.only,
    )
    const payload = { valueBytes: VALUE_BYTES, content: 'random', keyed: true, headers: 2 } as const
    const conditions = { ...plainConditions(options), payload }
    const entrants = chosen.map(each => nodeEntrant(each, conditions, options))
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants,
        reference: contenders.OURS.id,
        conditions: [
          '1,024-byte values, 2,003 keys, 2 headers of 16 bytes, no compression, 6 partitions, murmur2 partitioning',
        ],
        skipped,
        claims: [
          {
            what: 'ours to @confluentinc/kafka-javascript',
            ours: contenders.OURS.id,
            against: entrants.filter(({ id }) => id.startsWith('confluent')),
            bar: 5,
            goal: 8,
          },
          beforeClaim(entrants),
        ],
      },
      options,
    )
  },
}
