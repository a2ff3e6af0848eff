import { compare } from './harness/comparison.js'
import { OURS, OURS_BEFORE, OURS_ENQUEUE, OURS_NODE_24, select } from './harness/contender.js'
import { beforeClaim, franzGoEntrant, javaEntrant, nodeEntrant, plainConditions } from './harness/entrants.js'
import { ensureFranzGo, ensureJars } from './harness/install.js'
import type { Question } from './harness/question.js'

export const question: Question = {
  name: 'native',
  asks: "One send() a record, 100 bytes: against Java's ProducerPerformance and franz-go, all idempotent",
  minutes: 4,
  run: async options => {
    const { chosen, skipped } = select([OURS, OURS_BEFORE, OURS_ENQUEUE, OURS_NODE_24], [])
    const ours = chosen.map(each => nodeEntrant(each, plainConditions(options), options))
    const tunedJava = { 'linger.ms': '5', 'batch.size': '262144', 'buffer.memory': '67108864' }
    const java = [
      javaEntrant('defaults', {}, options),
      javaEntrant('linger 5 ms, batch 256 KiB, buffer 64 MiB', tunedJava, options),
    ]
    const franzGo = [
      franzGoEntrant('defaults', [], options),
      franzGoEntrant('linger 0', ['-linger', '0s'], options),
    ]
    const noJava = await ensureJars()
    const noFranzGo = await ensureFranzGo()
    const entrants = [...ours, ...(noJava ? [] : java), ...(noFranzGo ? [] : franzGo)]
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants,
        reference: OURS.id,
        conditions: [
          `${options.valueBytes}-byte values, no keys, no compression, 6 partitions`,
          'ProducerPerformance has no window of records: its buffer bounds it (32 MiB by default)',
          'franz-go and Java use all cores; ours has one thread of JavaScript',
        ],
        skipped: [
          ...skipped,
          ...(noJava ? [`Java ProducerPerformance: ${noJava}`] : []),
          ...(noFranzGo ? [`franz-go: ${noFranzGo}`] : []),
        ],
        claims: [
          beforeClaim(entrants),
          {
            what: "ours to Java's ProducerPerformance, defaults",
            ours: OURS.id,
            against: java.slice(0, 1),
            bar: 1.5,
            goal: 2.5,
          },
          { what: 'ours to franz-go', ours: OURS.id, against: franzGo, bar: 0.6, goal: 1 },
          { what: 'ours on Node 24 to franz-go', ours: OURS_NODE_24.id, against: franzGo, bar: 0.6, goal: 1 },
          {
            what: 'ours, enqueue(), to franz-go: a callback a record on both sides',
            ours: OURS_ENQUEUE.id,
            against: franzGo,
            bar: 0.6,
            goal: 1,
          },
        ],
      },
      options,
    )
  },
}
