import { withBroker } from './harness/broker.js'
import { machine } from './harness/comparison.js'
import { contend, OURS } from './harness/contender.js'
import { figureWithRange } from './harness/format.js'
import { interleave } from './harness/interleave.js'
import type { Question } from './harness/question.js'
import { spread } from './harness/stats.js'
import { createTopics, deleteTopics, recordsIn } from './harness/topics.js'
import type { StoppedBrokerResult, StoppedBrokerWork } from './work/stoppedBroker.js'

const MB = 1e6
const BUFFER_BYTES = 32 * 2 ** 20
const VALUE_BYTES = 1000
const RECORDS = 300_000
const STOPPED_MS = 5000

const WAYS: readonly { id: StoppedBrokerWork['offerBy']; label: string; bounded: boolean }[] = [
  { id: 'writable', label: 'writable()', bounded: true },
  { id: 'enqueue', label: 'enqueue() and ready()', bounded: true },
  { id: 'send', label: 'send(), none awaited', bounded: false },
]

const CONTENDER = { ...OURS, settings: { bufferBytes: BUFFER_BYTES } }

type Sample = StoppedBrokerResult & { readonly onBroker: number }

export const question: Question = {
  name: 'stopped-broker',
  asks: 'Resident memory while the broker stands still (SIGSTOP) and 300 MB are offered, bufferBytes 32 MiB',
  minutes: 3,
  run: options =>
    withBroker({}, async broker => {
      const items = WAYS.map(way => ({ ...way, tuning: 'bufferBytes 32 MiB' }))
      const { samples, failures } = await interleave(
        items,
        options.rounds,
        async ({ id }, round): Promise<Sample> => {
          const topic = `${id}-${round}`
          await createTopics(broker.bootstrap, [topic], 6)
          const work: StoppedBrokerWork = {
            kind: 'stoppedBroker',
            topic,
            offerBy: id,
            records: RECORDS,
            valueBytes: VALUE_BYTES,
            stoppedMs: STOPPED_MS,
          }
          const answer = (asked: 'pause' | 'resume'): void =>
            asked === 'pause' ? broker.pause() : broker.resume()
          try {
            const sample = await contend(CONTENDER, broker.bootstrap, work, { answer })
            // One record was sent before the broker was stopped.
            const onBroker = (await recordsIn(broker.bootstrap, [topic])) - 1
            options.log(
              `round ${round}/${options.rounds}  ${id}: ${Math.round(sample.residentStoppedBytes / MB)} MB`,
            )
            return { ...sample, onBroker }
          } finally {
            broker.resume()
            await deleteTopics(broker.bootstrap, [topic])
          }
        },
      )
      const of = (id: string, pick: (sample: Sample) => number) =>
        spread((samples.get(id) ?? []).flatMap(sample => (sample ? [pick(sample)] : [])))
      const verdict = (id: string): string => {
        const all = (samples.get(id) ?? []).filter(sample => sample !== undefined)
        if (all.length === 0) return 'no run'
        const lost = all.filter(({ delivered, onBroker }) => delivered !== RECORDS || onBroker !== RECORDS)
        return lost.length === 0
          ? 'all delivered once'
          : lost.map(s => `${s.delivered} acknowledged, ${s.onBroker} on the broker: ${s.error}`).join('; ')
      }
      return {
        question: question.name,
        conditions: [
          machine(),
          `${RECORDS.toLocaleString('en-US')} records of ${VALUE_BYTES} bytes, a new Buffer each; the broker stands still for ${STOPPED_MS / 1000} s from the first`,
          'resident: of the whole process (an empty Node 20 process has about 45 MB)',
        ],
        tables: [
          {
            title: question.asks,
            columns: [
              'offered by',
              'resident before, MB',
              'most while stopped, MB',
              'most until the end, MB',
              'records',
            ],
            rows: WAYS.map(({ id, label }) => [
              label,
              figureWithRange(of(id, sample => sample.residentBeforeBytes / MB)),
              figureWithRange(of(id, sample => sample.residentStoppedBytes / MB)),
              figureWithRange(of(id, sample => sample.residentPeakBytes / MB)),
              verdict(id),
            ]),
          },
        ],
        claims: WAYS.filter(({ bounded }) => bounded).map(({ id, label }) => ({
          what: `most resident while stopped, by ${label}`,
          measured: of(id, sample => sample.residentStoppedBytes / MB),
          unit: 'MB',
          better: 'lower',
          bar: 300,
          goal: 150,
        })),
        skipped: failures,
        plots: [
          {
            title: 'Most resident memory while the broker stands still',
            unit: 'MB',
            better: 'lower',
            bars: WAYS.map(({ id, label }) => ({
              label,
              measured: of(id, sample => sample.residentStoppedBytes / MB),
              ours: true,
            })),
          },
        ],
      }
    }),
}
