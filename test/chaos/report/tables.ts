import type { RunReport } from '../run.js'
import { broken, median } from './verdict.js'

type Row = readonly (string | number)[]

const markdown = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n')

const cell = (value: string | number): string =>
  typeof value === 'string'
    ? value.replaceAll('|', '\\|')
    : Number.isFinite(value)
      ? value.toLocaleString('en')
      : '?'

/** A line a run: the figures that must be 0. */
export const figures = (runs: readonly { readonly client: string; readonly report: RunReport }[]): string =>
  markdown(
    [
      'scenario',
      'client',
      'offered',
      'acknowledged',
      'failed',
      'hung',
      'lost',
      'doubled',
      'out of order',
      'wrong offset',
      'denied but written',
      'uncaught',
      'failover, median (worst)',
    ],
    runs.map(({ client, report: { scenario, findings, outcome, failovers } }) => {
      const { lost, doubled, reordered, misplaced, deniedButWritten } = findings.faults
      return [
        scenario,
        client,
        findings.offered,
        findings.acknowledged,
        findings.failed,
        findings.hung,
        lost,
        doubled,
        reordered,
        misplaced,
        deniedButWritten,
        outcome.uncaught.length,
        failoverText(failovers.flatMap(({ delaysMs }) => delaysMs)),
      ]
    }),
  )

const failoverText = (delaysMs: readonly number[]): string =>
  delaysMs.length === 0 ? '' : `${inSeconds(median(delaysMs))} (${inSeconds(Math.max(...delaysMs))})`

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** One run in full: each fault, its time, what was in flight. */
export const details = (client: string, report: RunReport): string => {
  const { scenario, about, seed, seconds, findings, faults, failovers, outcome } = report
  const start = faults[0]?.startedAt ?? 0
  const problems = broken(report)
  const lines = [
    `### ${scenario}, ${client}`,
    `${about}. Seed ${seed}, ${Math.round(seconds)} s: ${findings.offered.toLocaleString('en')} records offered, ${outcome.heldBack.toLocaleString('en')} held back, ${findings.stored.toLocaleString('en')} read back${findings.excused > 0 ? ` (${findings.excused} acknowledged ones went with their topic)` : ''}; the last send ended ${inSeconds(outcome.settledMs)} after the last offer.`,
    markdown(
      ['at', 'fault', 'lasted', 'in flight before', 'after', 'offered/s'],
      faults.map(fault => [
        inSeconds(fault.startedAt - start),
        fault.name,
        inSeconds(fault.endedAt - fault.startedAt),
        fault.inFlightBefore,
        fault.inFlightAfter,
        Math.round(fault.offeredPerSecond),
      ]),
    ),
  ]
  if (failovers.some(({ delaysMs }) => delaysMs.length > 0)) {
    lines.push(
      markdown(
        ['leader lost', 'partitions', 'first record at the successor', 'median', 'last'],
        failovers.map(({ loss, delaysMs }) => [
          `broker ${loss.node} ${loss.how}`,
          delaysMs.length,
          inSeconds(delaysMs[0] ?? Number.NaN),
          inSeconds(median(delaysMs)),
          inSeconds(delaysMs.at(-1) ?? Number.NaN),
        ]),
      ),
    )
  }
  const { memory } = outcome
  if (memory.length > 0) {
    const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0)
    const peak = Math.max(...memory.map(({ residentBytes }) => residentBytes))
    lines.push(
      `Memory, MiB held after a collection: ${memory.map(({ heldBytes }) => mib(heldBytes)).join(' ')}; resident at most ${mib(peak)}.`,
    )
  }
  if (outcome.failures.length > 0) {
    lines.push(
      markdown(
        ['failed with', 'sends', 'for example'],
        outcome.failures.map(({ name, count, example }) => [name, count, example.slice(0, 300)]),
      ),
    )
  }
  const found = [...findings.examples, ...outcome.uncaught.map(text => text.split('\n', 2).join(' '))]
  if (found.length > 0) lines.push(found.map(line => `- ${line}`).join('\n'))
  lines.push(problems.length === 0 ? 'Everything holds.' : `**Does not hold: ${problems.join('; ')}.**`)
  return lines.join('\n\n')
}
