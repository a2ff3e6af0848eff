import { withBroker } from './harness/broker.js'
import { machine } from './harness/comparison.js'
import { contend, OURS } from './harness/contender.js'
import { figureWithRange } from './harness/format.js'
import { interleave } from './harness/interleave.js'
import type { Question } from './harness/question.js'
import { pairedRatios, spread } from './harness/stats.js'
import { createTopics, deleteTopics } from './harness/topics.js'
import type { AbortsResult, AbortsWork } from './work/aborts.js'

const SENDS = [1_000, 10_000, 100_000]
const VALUE_BYTES = 100

export const question: Question = {
  name: 'aborts',
  asks: 'Sends with an AbortSignal each, given up while the broker says nothing',
  minutes: 2,
  run: options =>
    withBroker({}, async broker => {
      const items = SENDS.map(sends => ({ id: String(sends), label: `${sends} sends`, tuning: 'defaults' }))
      const { samples, failures } = await interleave(items, options.rounds, async ({ id }, round) => {
        const topic = `aborts-${id}-${round}`
        await createTopics(broker.bootstrap, [topic], 6)
        const work: AbortsWork = { kind: 'aborts', topic, sends: Number(id), valueBytes: VALUE_BYTES }
        try {
          return await contend(OURS, broker.bootstrap, work, {
            answer: asked => (asked === 'pause' ? broker.pause() : broker.resume()),
          })
        } finally {
          broker.resume()
          await deleteTopics(broker.bootstrap, [topic])
        }
      })
      const figures = (id: string, pick: (sample: AbortsResult) => number) =>
        (samples.get(id) ?? []).map(sample => (sample === undefined ? undefined : pick(sample)))
      const column = (id: string, pick: (sample: AbortsResult) => number): string =>
        figureWithRange(spread(figures(id, pick).filter(value => value !== undefined)))
      const cpu = (id: string) => figures(id, sample => sample.cpuMicrosPerAbort)
      return {
        question: question.name,
        conditions: [
          machine(),
          `${VALUE_BYTES}-byte values, one topic of 6 partitions, the broker stopped by SIGSTOP; 500 signals aborted in a turn`,
          'CPU less what as many signals with a bare listener take',
        ],
        tables: [
          {
            title: question.asks,
            columns: ['sends', 'CPU us per abort', 'longest stall ms', 'aborted', 'others', 'kept MB'],
            rows: items.map(({ id }) => [
              Number(id).toLocaleString('en-US'),
              column(id, sample => sample.cpuMicrosPerAbort),
              column(id, sample => sample.longestStallMs),
              column(id, sample => sample.aborted),
              column(id, sample => sample.others),
              column(id, sample => sample.keptBytes / 1e6),
            ]),
          },
        ],
        claims: [
          {
            what: 'CPU per abort, 100,000 to 1,000',
            measured: spread(pairedRatios(cpu('100000'), cpu('1000'))),
            unit: 'x',
            better: 'lower',
            bar: 2,
            goal: 1.2,
          },
        ],
        skipped: failures,
        plots: [
          {
            title: 'CPU per aborted send, by how many are waiting',
            unit: 'us',
            better: 'lower',
            bars: items.map(({ id }) => ({
              label: `${Number(id).toLocaleString('en-US')} sends`,
              measured: spread(cpu(id).filter(value => value !== undefined)),
              ours: true,
            })),
          },
        ],
      }
    }),
}
