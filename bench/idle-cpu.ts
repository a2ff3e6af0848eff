import { withBroker } from './harness/broker.js'
import { machine } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { figure } from './harness/format.js'
import type { Question } from './harness/question.js'
import { spread } from './harness/stats.js'
import { createTopics } from './harness/topics.js'

const SECONDS = 60

export const question: Question = {
  name: 'idle-cpu',
  asks: `CPU of a connected producer that has nothing to do, for ${SECONDS} s`,
  minutes: 1.3,
  run: options =>
    withBroker({}, async broker => {
      const { chosen, skipped } = contenders.select(
        [contenders.OURS, contenders.KAFKAJS, contenders.PLATFORMATIC, contenders.CONFLUENT],
        options.only,
      )
      const topic = 'idle'
      await createTopics(broker.bootstrap, [topic], 6)
      options.log(`${chosen.length} clients stand idle side by side`)
      const failures: string[] = []
      // Side by side: what is measured is each process's own time, and none of them takes a core.
      const used = await Promise.all(
        chosen.map(contender =>
          contenders.contend(contender, broker.bootstrap, { kind: 'idle', topic, seconds: SECONDS }).then(
            ({ cpuSeconds }) => cpuSeconds,
            (error: Error) => {
              failures.push(`${contender.label}: ${error.message}`)
              return Number.NaN
            },
          ),
        ),
      )
      const ours = used[chosen.indexOf(contenders.OURS)]
      return {
        question: question.name,
        conditions: [
          machine(),
          'one record sent, then 3 s to settle; user and system time of the whole process',
        ],
        tables: [
          {
            title: question.asks,
            columns: ['client', 'CPU s'],
            rows: chosen.map(({ label }, at) => [label, figure(used[at]!)]),
          },
        ],
        claims: [
          {
            what: 'CPU of ours',
            measured: ours === undefined ? undefined : spread([ours]),
            unit: 's',
            better: 'lower',
            bar: 0.1,
            goal: 0.02,
          },
        ],
        skipped: [...skipped, ...failures],
        plots: [
          {
            title: `CPU of ${SECONDS} s`,
            unit: 's',
            better: 'lower',
            bars: chosen.map((each, at) => ({
              label: each.label,
              measured: spread([used[at]!]),
              ours: contenders.isOurs(each),
            })),
          },
        ],
      }
    }),
}
