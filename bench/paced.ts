import { withBroker } from './harness/broker.js'
import { commonConditions } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { figure, figureWithRange } from './harness/format.js'
import { interleave } from './harness/interleave.js'
import type { Question } from './harness/question.js'
import type { Plot } from './harness/report.js'
import { pairedRatios, spread } from './harness/stats.js'
import { createTopics, deleteTopics } from './harness/topics.js'
import type { SteadyResult, SteadyWork } from './work/steady.js'

const RATES = [500, 5_000, 20_000]
const TOPICS = [1, 20, 200]
const PARTITIONS = 3
/** The table has all cells; the picture those of so many topics. */
const PLOTTED_TOPICS = 20

const CONTENDERS = [
  contenders.OURS,
  contenders.OURS_BEFORE,
  contenders.KAFKAJS,
  contenders.CONFLUENT_LINGER_0,
  contenders.CONFLUENT_LINGER_5,
  contenders.PLATFORMATIC,
]

interface Cell {
  readonly rate: number
  readonly topics: number
}

const CELLS: readonly Cell[] = RATES.flatMap(rate => TOPICS.map(topics => ({ rate, topics })))

export const question: Question = {
  name: 'paced',
  asks: 'Single sends at a steady rate over some topics: CPU per record, and latency',
  minutes: 15,
  run: options =>
    withBroker({}, async broker => {
      const { chosen, skipped } = contenders.select(CONTENDERS, options.only)
      const failures: string[] = []
      const rows: string[][] = []
      const cpuPlots: Plot[] = []
      const p99Plots: Plot[] = []
      const claims: { cell: Cell; peer: string; cpu: number[]; p99: number[] }[] = []
      for (const cell of CELLS) {
        const { samples, failures: failed } = await interleave(
          chosen,
          options.rounds,
          async (each, round) => {
            const topics = Array.from(
              { length: cell.topics },
              (_, i) => `${each.id}-${cell.rate}-${cell.topics}-${round}-${i}`,
            )
            await createTopics(broker.bootstrap, topics, PARTITIONS)
            const work: SteadyWork = {
              kind: 'steady',
              topics,
              payload: { valueBytes: options.valueBytes, content: 'random', keyed: false, headers: 0 },
              recordsPerSecond: cell.rate,
              warmupSeconds: options.warmupSeconds,
              seconds: options.seconds,
            }
            const sample = await contenders.contend(each, broker.bootstrap, work)
            await deleteTopics(broker.bootstrap, topics)
            options.log(
              `${cell.rate}/s, ${cell.topics} topics, round ${round}/${options.rounds}  ${each.id}: ${sample.cpuMicrosPerRecord.toFixed(1)} us, p99 ${sample.p99Ms.toFixed(1)} ms`,
            )
            return sample
          },
        )
        failures.push(...failed)
        const figures = (id: string, pick: (sample: SteadyResult) => number) =>
          (samples.get(id) ?? []).map(sample => (sample === undefined ? undefined : pick(sample)))
        const column = (id: string, pick: (sample: SteadyResult) => number): string =>
          figureWithRange(spread(figures(id, pick).filter(value => value !== undefined)))
        const plot = (what: string, unit: string, pick: (sample: SteadyResult) => number): Plot => ({
          title: `${cell.rate.toLocaleString('en-US')} records/s over ${cell.topics} topics: ${what}`,
          unit,
          better: 'lower',
          bars: chosen.map(each => ({
            label: contenders.named(each),
            measured: spread(figures(each.id, pick).filter(value => value !== undefined)),
            ours: contenders.isOurs(each),
          })),
        })
        if (cell.topics === PLOTTED_TOPICS) {
          cpuPlots.push(plot('CPU per record', 'us', sample => sample.cpuMicrosPerRecord))
          p99Plots.push(plot('latency, p99', 'ms', sample => sample.p99Ms))
        }
        for (const { id, label, tuning } of chosen) {
          rows.push([
            cell.rate.toLocaleString('en-US'),
            String(cell.topics),
            contenders.named({ label, tuning }),
            column(id, sample => sample.cpuMicrosPerRecord),
            column(id, sample => sample.p50Ms),
            column(id, sample => sample.p99Ms),
            column(id, sample => sample.p999Ms),
            column(id, sample => sample.kept),
            figure(spread(figures(id, sample => sample.failed).filter(value => value !== undefined)).max),
          ])
          if (contenders.isOurs(chosen.find(each => each.id === id)!)) continue
          claims.push({
            cell,
            peer: contenders.named({ label, tuning }),
            cpu: pairedRatios(
              figures(contenders.OURS.id, sample => sample.cpuMicrosPerRecord),
              figures(id, sample => sample.cpuMicrosPerRecord),
            ),
            p99: pairedRatios(
              figures(contenders.OURS.id, sample => sample.p99Ms),
              figures(id, sample => sample.p99Ms),
            ),
          })
        }
      }
      return {
        question: question.name,
        conditions: [
          ...commonConditions(broker, options),
          `records offered by a 1 ms timer that makes up for the time it was late; ${PARTITIONS} partitions per topic; one awaited call per record`,
          'CPU: of the whole process, the offering included',
        ],
        tables: [
          {
            title: question.asks,
            columns: [
              'records/s',
              'topics',
              'client',
              'CPU us per record',
              'p50 ms',
              'p99 ms',
              'p99.9 ms',
              'kept up',
              'failed',
            ],
            rows,
          },
        ],
        claims: claims.flatMap(({ cell, peer, cpu, p99 }) => {
          const where = `${cell.rate}/s, ${cell.topics} topics: ours to ${peer}`
          const claim = { unit: 'x', better: 'lower', bar: 1, goal: 0.8 } as const
          return [
            { ...claim, what: `${where}, CPU`, measured: spread(cpu) },
            { ...claim, what: `${where}, p99`, measured: spread(p99) },
          ]
        }),
        skipped: [...skipped, ...failures],
        plots: [...cpuPlots, ...p99Plots],
      }
    }),
}
