import type { Output } from '../src/cli/process/io.js'
import { bar, formatCount, formatDuration, plural } from '../src/cli/terminal/format.js'
import { fitToWidth } from '../src/cli/terminal/progress.js'
import { openScreen } from '../src/cli/terminal/screen.js'
import { isLive } from '../src/cli/terminal/style.js'
import type { Deliveries, TopicProgress } from './deliveries.js'

const FRAME_MS = 100
const PLAIN_LINE_MS = 2_000
const BAR_WIDTH = 24
/** So long a wait fills a bar, until one lasts longer. ms */
const FULL_BAR_MS = 2_000

export interface Progress {
  /** Draws for the last time. */
  stop(): void
}

/** Shows what happens while it happens: a table that is drawn anew on a terminal, else a line now and then. */
export function showProgress(output: Output, env: NodeJS.ProcessEnv, deliveries: Deliveries): Progress {
  const height = deliveries.topics.length + 1
  return isLive(output, env) && (output.rows ?? 24) > height
    ? liveTable(output, deliveries)
    : plainLines(output, deliveries)
}

function liveTable(output: Output, deliveries: Deliveries): Progress {
  const screen = openScreen(output)
  const draw = () => screen.draw(tableOf(deliveries).map(line => fitToWidth(line, output.columns)))
  const timer = setInterval(draw, FRAME_MS)
  draw()
  return {
    stop() {
      clearInterval(timer)
      // The summary stands in its place.
      screen.close('clear')
    },
  }
}

function plainLines(output: Output, deliveries: Deliveries): Progress {
  let last = ''
  const timer = setInterval(() => {
    const line = lineOf(deliveries)
    if (line !== last) output.write(`${line}\n`)
    last = line
  }, PLAIN_LINE_MS)
  return { stop: () => clearInterval(timer) }
}

/** A row for each topic, with a bar as long as it waited, and a line of totals. */
export function tableOf(deliveries: Deliveries): string[] {
  const { topics, elapsedMs } = deliveries
  const waits = topics.map(each => each.appearedAfterMs ?? elapsedMs)
  const fullMs = Math.max(FULL_BAR_MS, ...waits)
  const width = Math.max(...topics.map(each => each.topic.length))
  const digits = Math.max(...topics.map(each => formatCount(each.total).length))
  const rows = topics.map((each, at) => {
    const records = `${formatCount(each.delivered.length).padStart(digits)} of ${formatCount(each.total).padStart(digits)}`
    return `  ${each.topic.padEnd(width)}  ${records}  ${bar(waits[at]! / fullMs, BAR_WIDTH)} ${stateOf(each, elapsedMs)}`
  })
  return [...rows, `  ${lineOf(deliveries)}`]
}

function stateOf({ appearedAfterMs, failed, firstError }: TopicProgress, elapsedMs: number): string {
  if (firstError) return `${plural(failed, 'record')} failed`
  return appearedAfterMs === undefined
    ? `waiting for ${formatDuration(elapsedMs)}`
    : `there after ${formatDuration(appearedAfterMs)}`
}

export function lineOf(deliveries: Deliveries): string {
  const { total, deliveredCount, failedCount, elapsedMs, topics, hasBegun } = deliveries
  if (!hasBegun) return `connecting · ${formatDuration(elapsedMs)}`
  const waiting = topics.filter(each => each.appearedAfterMs === undefined && each.failed === 0)
  return [
    `${formatCount(deliveredCount)} of ${plural(total, 'record')} delivered`,
    ...(failedCount > 0 ? [`${formatCount(failedCount)} failed`] : []),
    formatDuration(elapsedMs),
    ...(waiting.length > 0
      ? [
          `waiting for ${waiting.length <= 3 ? waiting.map(each => each.topic).join(', ') : plural(waiting.length, 'topic')}`,
        ]
      : []),
  ].join(' · ')
}
