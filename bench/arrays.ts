import { compare } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { beforeClaim, nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

const PER_CALL = 1000
const PLATFORMATIC = [contenders.PLATFORMATIC, contenders.PLATFORMATIC_TUNED, contenders.PLATFORMATIC_NEWEST]

export const question: Question = {
  name: 'arrays',
  asks: 'Arrays of 1,000 records of 100 bytes a call',
  minutes: 4,
  run: options => {
    const { chosen, skipped } = contenders.select(
      [
        contenders.OURS,
        contenders.OURS_BEFORE,
        contenders.OURS_PLAIN,
        contenders.KAFKAJS,
        ...PLATFORMATIC,
        contenders.CONFLUENT,
      ],
      options.only,
    )
    const conditions = { ...plainConditions(options), perCall: PER_CALL }
    const entrants = chosen.map(each => nodeEntrant(each, conditions, options))
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants,
        reference: contenders.OURS.id,
        conditions: [
          `${options.valueBytes}-byte values, no keys, no compression, 6 partitions, ${options.window / PER_CALL} calls outstanding`,
        ],
        skipped,
        claims: [
          {
            what: 'ours to @platformatic/kafka',
            ours: contenders.OURS.id,
            against: entrants.filter(({ id }) => id.startsWith('platformatic')),
            bar: 2,
            goal: 4,
          },
          beforeClaim(entrants),
        ],
      },
      options,
    )
  },
}
