import { compare } from './harness/comparison.js'
import { OURS } from './harness/contender.js'
import { nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

const TOPICS = 1000

export const question: Question = {
  name: 'many-topics',
  asks: '1,000 topics round robin against one topic, ours',
  minutes: 2,
  run: options => {
    const conditions = plainConditions(options)
    const one = nodeEntrant(OURS, conditions, options, 'one-topic')
    const many = nodeEntrant(
      OURS,
      { ...conditions, topicCount: TOPICS, partitions: 1 },
      options,
      'many-topics',
    )
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants: [
          { ...one, label: 'one topic' },
          { ...many, label: '1,000 topics, a record each in turn' },
        ],
        reference: one.id,
        conditions: [
          `${options.valueBytes}-byte values, no keys, no compression; one topic of 6 partitions, 1,000 of one`,
        ],
        skipped: [],
        claims: [{ what: '1,000 topics to one topic', ours: many.id, against: [one], bar: 0.5, goal: 0.8 }],
      },
      options,
    )
  },
}
