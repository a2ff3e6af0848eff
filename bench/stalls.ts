import { machine } from './harness/comparison.js'
import { contend, OURS } from './harness/contender.js'
import { startEmbedded } from './harness/embedded.js'
import { figureWithRange } from './harness/format.js'
import { interleave } from './harness/interleave.js'
import type { Question } from './harness/question.js'
import { spread } from './harness/stats.js'
import type { StallsResult, StallsWork } from './work/stalls.js'

const ITEMS: readonly { id: StallsWork['what']; records: number }[] = [
  { id: 'sends that time out', records: 5_000 },
  { id: 'enqueued records that fail', records: 200_000 },
  { id: 'one sendBatch', records: 100_000 },
]
const TOPIC = 'events'

export const question: Question = {
  name: 'stalls',
  asks: 'How long the event loop stands still while many records end at once',
  minutes: 2,
  run: async options => {
    const items = ITEMS.map(({ id, records }) => ({
      id,
      label:
        id === 'one sendBatch'
          ? `${id} of ${records.toLocaleString('en-US')}`
          : `${records.toLocaleString('en-US')} ${id}`,
      tuning: 'defaults',
      records,
    }))
    const { samples, failures } = await interleave(items, options.rounds, async ({ id, records }) => {
      const cluster = await startEmbedded({ brokers: 1 })
      try {
        await cluster.createTopic(TOPIC, { partitions: 6, leader: 0 })
        const work: StallsWork = { kind: 'stalls', topic: TOPIC, what: id, records }
        return await contend(OURS, cluster.bootstrap.join(','), work, {
          answer: asked =>
            asked === 'pause' ? cluster.trouble({ kind: 'produce unanswered' }) : cluster.heal(),
        })
      } finally {
        await cluster.stop()
      }
    })
    const of = (id: string, pick: (sample: StallsResult) => number) =>
      spread((samples.get(id) ?? []).flatMap(sample => (sample ? [pick(sample)] : [])))
    return {
      question: question.name,
      conditions: [
        machine(),
        'the embedded cluster in a process of its own, Produce unanswered for the first two; 100-byte values',
      ],
      tables: [
        {
          title: question.asks,
          columns: ['what', 'longest stall ms', 'the call itself ms', 'delivered', 'failed'],
          rows: items.map(({ id, label }) => [
            label,
            figureWithRange(of(id, sample => sample.longestStallMs)),
            figureWithRange(of(id, sample => sample.callMs)),
            figureWithRange(of(id, sample => sample.delivered)),
            figureWithRange(of(id, sample => sample.failed)),
          ]),
        },
      ],
      claims: items.map(({ id, label }) => ({
        what: `longest stall, ${label}`,
        measured: of(id, sample => sample.longestStallMs),
        unit: 'ms' as const,
        better: 'lower' as const,
        bar: 50,
        goal: 20,
      })),
      skipped: failures,
      plots: [
        {
          title: 'Longest stall of the event loop',
          unit: 'ms',
          better: 'lower',
          bars: items.map(({ id, label }) => ({
            label,
            measured: of(id, sample => sample.longestStallMs),
            ours: true,
          })),
        },
      ],
    }
  },
}
