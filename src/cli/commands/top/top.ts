import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode, UsageError } from '../../process/exit.js'
import type { Io } from '../../process/io.js'
import { resolveScraping } from '../../scrapes/flags.js'
import { keepWatching, Watch } from '../../scrapes/watch.js'
import { onQuitKey } from '../../terminal/keys.js'
import { openScreen } from '../../terminal/screen.js'
import { isLive, styleFor } from '../../terminal/style.js'
import type { TopFlags } from './flags.js'
import { frameLines } from './frame.js'

/** A service is not asked more often: what it counts would be its own scrapes. ms */
const LEAST_INTERVAL_MS = 100
/** Ages are counted on a terminal although nothing was scraped. ms */
const AGE_MS = 1_000
/** Of a frame without a terminal: nothing wraps, and nothing is cut that a person would look for. */
const PLAIN_COLUMNS = 160
/** What a frame takes no notice of: the line on which the cursor stands. */
const CURSOR_LINE = 1

/** `resilient-producer top`: what producers do, live. Resolves to the exit status. */
export async function top(flags: TopFlags, io: Io, signal: AbortSignal): Promise<number> {
  const { targets, asking } = await resolveScraping(flags, io)
  if (targets.length === 0)
    throw new UsageError('say where the metrics are: --url http://localhost:3000/metrics')
  if (flags.interval < LEAST_INTERVAL_MS)
    throw new UsageError(`--interval must be at least ${LEAST_INTERVAL_MS}ms`)
  const watches = targets.map(each => new Watch(each))
  const stop = new AbortController()
  const ending = AbortSignal.any([signal, stop.signal])
  const now = () => performance.now()
  const shown = showing(watches, io, now, () => stop.abort())
  const scraped = new Scrapes(watches.length)
  const watching = Promise.all(
    watches.map(each =>
      keepWatching(each, asking, { prefix: flags.prefix, now }, flags.interval, {
        signal: ending,
        onScraped() {
          scraped.note()
          shown.changed()
        },
      }),
    ),
  )
  let wasRead = false
  try {
    // Watching ends when it is aborted, or by an error that is none of a service's.
    await Promise.race([scraped.each, watching])
    for (let count = 1; !ending.aborted; count++) {
      shown.snapshot()
      wasRead ||= watches.some(each => each.entries !== undefined)
      if (count === flags.count) return wasRead ? ExitCode.ok : ExitCode.failed
      await Promise.race([sleep(flags.interval, undefined, { signal: ending }).catch(() => {}), watching])
    }
    return ExitCode.ok
  } finally {
    stop.abort()
    shown.close()
    await watching
  }
}

/** Resolves once each service has been asked for the first time. */
class Scrapes {
  readonly each: Promise<void>
  private missing: number
  private resolve: () => void = () => {}

  constructor(missing: number) {
    this.missing = missing
    this.each = new Promise(resolve => {
      this.resolve = resolve
    })
  }

  note(): void {
    if (--this.missing === 0) this.resolve()
  }
}

interface Showing {
  /** Something new is known. */
  changed(): void
  /** An interval is over. */
  snapshot(): void
  close(): void
}

function showing(watches: readonly Watch[], io: Io, now: () => number, quit: () => void): Showing {
  const { stdout, stdin, env } = io
  const style = styleFor(stdout, env)
  if (!isLive(stdout, env)) {
    let isFirst = true
    return {
      changed() {},
      snapshot() {
        const lines = frameLines({ watches, now: now(), columns: PLAIN_COLUMNS, rows: undefined }, style)
        stdout.write(`${isFirst ? '' : '\n'}${new Date().toISOString()}\n${lines.join('\n')}\n`)
        isFirst = false
      },
      close() {},
    }
  }
  const screen = openScreen(stdout)
  const draw = () => {
    const { columns = 80, rows = 24 } = stdout
    screen.draw(frameLines({ watches, now: now(), columns, rows: rows - CURSOR_LINE }, style))
  }
  const giveBackInput = onQuitKey(stdin, quit)
  const timer = setInterval(draw, AGE_MS)
  stdout.on('resize', draw)
  draw()
  return {
    changed: draw,
    snapshot() {},
    close() {
      clearInterval(timer)
      stdout.off('resize', draw)
      giveBackInput()
      screen.close('keep')
    },
  }
}
