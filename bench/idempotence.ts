import { compare } from './harness/comparison.js'
import { OURS, OURS_PLAIN } from './harness/contender.js'
import { nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

export const question: Question = {
  name: 'idempotence',
  asks: 'Idempotent against not, ours',
  minutes: 1,
  run: options => {
    const conditions = plainConditions(options)
    const plain = nodeEntrant(OURS_PLAIN, conditions, options)
    const idempotent = nodeEntrant(OURS, conditions, options)
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants: [idempotent, plain],
        reference: idempotent.id,
        conditions: [`${options.valueBytes}-byte values, no keys, no compression, 6 partitions`],
        skipped: [],
        claims: [{ what: 'idempotent to not', ours: idempotent.id, against: [plain], bar: 0.9, goal: 0.97 }],
      },
      options,
    )
  },
}
