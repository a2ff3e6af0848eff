import { cpus, release, totalmem } from 'node:os'
import { type Broker, withBroker } from './broker.js'
import { figure, figureWithRange, type Table, times } from './format.js'
import type { BenchOptions } from './options.js'
import type { Claim, Report } from './report.js'
import { type Entrant, type Rounds, runRounds, type Sample } from './rounds.js'
import { median, pairedRatios, type Spread, spread } from './stats.js'

const rates = (samples: readonly (Sample | undefined)[] | undefined): (number | undefined)[] =>
  (samples ?? []).map(sample => sample?.recordsPerSecond)

const known = (values: readonly (number | undefined)[]): number[] =>
  values.filter(value => value !== undefined)

/** `above` to `below`, round by round. */
const ratio = (rounds: Rounds, above: string, below: string): Spread =>
  spread(pairedRatios(rates(rounds.samples.get(above)), rates(rounds.samples.get(below))))

/** The fastest of them by its median, so that a claim stands against a peer's best row. */
const fastest = (rounds: Rounds, entrants: readonly Entrant[]): Entrant | undefined => {
  const score = ({ id }: Entrant): number => median(known(rates(rounds.samples.get(id))))
  return entrants
    .filter(entrant => Number.isFinite(score(entrant)))
    .sort((a, b) => score(b) - score(a))
    .at(0)
}

const checked = (samples: readonly (Sample | undefined)[]): string => {
  const ran = samples.filter(sample => sample !== undefined)
  if (ran.length === 0) return 'no run'
  const wrong = ran.filter(({ delivered, onBroker }) => delivered !== onBroker).length
  const failed = ran.reduce((sum, sample) => sum + sample.failed, 0)
  const counts = wrong === 0 ? 'yes' : `NO, ${wrong} of ${ran.length} runs`
  return failed === 0 ? counts : `${counts}; ${figure(failed)} failed: ${ran.find(s => s.error)?.error}`
}

const throughputTable = (
  title: string,
  rounds: Rounds,
  entrants: readonly Entrant[],
  reference: string | undefined,
): Table => ({
  title,
  columns: [
    ...['client', 'idempotent', 'settings', 'records/s', 'ours is', 'CPU us a record', 'acked = end offsets'],
  ],
  rows: entrants.map(({ id, label, idempotent, tuning }) => {
    const samples = rounds.samples.get(id) ?? []
    const cpu = known(samples.map(sample => sample?.cpuMicrosPerRecord))
    return [
      label,
      idempotent ? 'yes' : 'no',
      tuning,
      figureWithRange(spread(known(rates(samples)))),
      reference === undefined || reference === id ? '' : times(ratio(rounds, reference, id)),
      cpu.length === 0 ? '-' : figure(median(cpu)),
      checked(samples),
    ]
  }),
})

export const machine = (): string => {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores (${cpu?.model ?? 'unknown'}), ${memory} GiB, Linux ${release().split('.', 2).join('.')}, Node ${process.version}`
}

export const commonConditions = (broker: Broker, { rounds, seconds, window }: BenchOptions): string[] => [
  machine(),
  `Kafka 4.4.0, one fresh KRaft broker on loopback on the same machine, its log in ${broker.storage}`,
  `acks=all, ${window.toLocaleString('en-US')} records outstanding`,
  `medians of ${rounds} interleaved rounds of ${seconds} s each after a warm-up, least and most in brackets; each client in a process of its own`,
]

/** Characters; beyond, the table says how it is tuned. */
const SHORT_TUNING = 12

export interface ClaimAgainst {
  readonly what: string
  readonly ours: string
  /** The claim is against the fastest of these. */
  readonly against: readonly Entrant[]
  readonly bar: number
  readonly goal: number
}

export interface Comparison {
  readonly question: string
  readonly title: string
  readonly entrants: readonly Entrant[]
  readonly reference: string | undefined
  readonly claims: readonly ClaimAgainst[]
  readonly conditions: readonly string[]
  readonly skipped: readonly string[]
  readonly brokerConfig?: Readonly<Record<string, string>>
}

/** The common shape of most questions: rounds on one fresh broker, a table, claims as ratios. */
export const compare = (comparison: Comparison, options: BenchOptions): Promise<Report> =>
  withBroker({ ...comparison.brokerConfig }, async broker => {
    const { question, title, entrants, reference } = comparison
    const rounds = await runRounds(broker, entrants, options)
    const claims = comparison.claims.map(({ what, ours, against, bar, goal }): Claim => {
      const best = fastest(rounds, against)
      return {
        what: best === undefined ? what : `${what} (${best.tuning}${best.idempotent ? ', idempotent' : ''})`,
        measured: best && ratio(rounds, ours, best.id),
        unit: 'x',
        better: 'higher',
        bar,
        goal,
      }
    })
    return {
      question,
      conditions: [...commonConditions(broker, options), ...comparison.conditions],
      tables: [throughputTable(title, rounds, entrants, reference)],
      claims,
      skipped: [...comparison.skipped, ...rounds.failures],
      plots: [
        {
          title,
          unit: 'records/s',
          better: 'higher',
          bars: entrants.map(({ id, label, tuning, idempotent, ours }) => ({
            label: [
              label,
              ...(tuning === 'defaults' ? [] : [tuning.length <= SHORT_TUNING ? tuning : 'tuned']),
              ...(idempotent ? ['idempotent'] : []),
            ].join(', '),
            measured: spread(known(rates(rounds.samples.get(id)))),
            ours,
          })),
        },
      ],
    }
  })
