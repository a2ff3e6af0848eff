import { withBroker } from './harness/broker.js'
import { commonConditions } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { figure, figureWithRange } from './harness/format.js'
import { interleave } from './harness/interleave.js'
import type { Question } from './harness/question.js'
import { spread } from './harness/stats.js'
import { createTopics, deleteTopics } from './harness/topics.js'
import type { PacedResult, PacedWork } from './work/paced.js'

const BYTES_PER_SECOND = 50e6
const VALUE_BYTES = 1000

export const question: Question = {
  name: 'event-loop',
  asks: 'Event-loop delay while 50 MB/s are sent in records of 1,000 bytes',
  minutes: 2,
  run: options =>
    withBroker({}, async broker => {
      const { chosen, skipped } = contenders.select(
        [contenders.NOTHING, contenders.OURS, contenders.CONFLUENT],
        options.only,
      )
      const work = (topic: string): PacedWork => ({
        kind: 'paced',
        topic,
        payload: { valueBytes: VALUE_BYTES, content: 'random', keyed: false, headers: 0 },
        bytesPerSecond: BYTES_PER_SECOND,
        warmupSeconds: options.warmupSeconds,
        seconds: options.seconds,
      })
      const { samples, failures } = await interleave(chosen, options.rounds, async (contender, round) => {
        const topic = `${contender.id}-${round}`
        await createTopics(broker.bootstrap, [topic], 6)
        const sample = await contenders.contend(contender, broker.bootstrap, work(topic))
        await deleteTopics(broker.bootstrap, [topic])
        options.log(
          `round ${round}/${options.rounds}  ${contender.id}: p99 ${sample.delayP99Ms.toFixed(2)} ms late`,
        )
        return sample
      })
      const of = (id: string, pick: (sample: PacedResult) => number) =>
        spread((samples.get(id) ?? []).flatMap(sample => (sample ? [pick(sample)] : [])))
      return {
        question: question.name,
        conditions: [
          ...commonConditions(broker, options),
          'records offered by a 1 ms timer that makes up for the time it was late; 6 partitions',
          'delay: how late a 1 ms timer of the event loop fires (perf_hooks, resolution 1 ms)',
        ],
        tables: [
          {
            title: question.asks,
            columns: ['client', 'delay p50 ms', 'p99 ms', 'most ms', 'MB/s acknowledged', 'failed'],
            rows: chosen.map(({ id, label }) => [
              label,
              figureWithRange(of(id, sample => sample.delayP50Ms)),
              figureWithRange(of(id, sample => sample.delayP99Ms)),
              figureWithRange(of(id, sample => sample.delayMaxMs)),
              figureWithRange(of(id, sample => sample.bytesPerSecond / 1e6)),
              figure(of(id, sample => sample.failed).max),
            ]),
          },
        ],
        claims: [
          {
            what: 'event-loop delay p99, ours',
            measured: of(contenders.OURS.id, sample => sample.delayP99Ms),
            unit: 'ms',
            better: 'lower',
            bar: 20,
            goal: 5,
          },
        ],
        skipped: [...skipped, ...failures],
        plots: [
          {
            title: 'Event-loop delay, p99',
            unit: 'ms',
            better: 'lower',
            bars: chosen.map(each => ({
              label: each.label,
              measured: of(each.id, sample => sample.delayP99Ms),
              ours: contenders.isOurs(each),
            })),
          },
        ],
      }
    }),
}
