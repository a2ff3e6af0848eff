import cliTruncate from 'cli-truncate'
import type { Output } from '../process/io.js'
import { isLive, type Style, styleFor } from './style.js'

const CLEAR_LINE = '\r\u001b[2K'
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const LIVE_INTERVAL_MS = 100
const PLAIN_INTERVAL_MS = 2_000

export interface Progress {
  /** Prints a line that stays: above the live line, if there is one. */
  note(line: string): void
  /** Ends the live line and the timer. More notes may follow. */
  stop(): void
}

/** Cuts a line to the terminal's width, so that it never wraps: a wrapped line cannot be redrawn. */
export function fitToWidth(line: string, columns: number | undefined): string {
  return columns ? cliTruncate(line, columns - 1) : line
}

/**
 * Shows `describe()` while something runs: redrawn in place on a terminal, otherwise as a plain line every two seconds,
 * left out when it says nothing new.
 */
export function startProgress(output: Output, env: NodeJS.ProcessEnv, describe: () => string): Progress {
  return isLive(output, env)
    ? startLive(output, styleFor(output, env), describe)
    : startPlain(output, describe)
}

/** Only notes: for `--quiet`. */
export function silentProgress(output: Output): Progress {
  return { note: line => void output.write(`${line}\n`), stop: () => {} }
}

function startLive(output: Output, style: Style, describe: () => string): Progress {
  let frame = 0
  let stopped = false
  const draw = () => {
    const spinner = FRAMES[frame++ % FRAMES.length]!
    output.write(`${CLEAR_LINE}${style.dim(spinner)} ${fitToWidth(describe(), (output.columns ?? 80) - 2)}`)
  }
  const timer = setInterval(draw, LIVE_INTERVAL_MS)
  draw()
  return {
    note(line) {
      output.write(`${stopped ? '' : CLEAR_LINE}${line}\n`)
      if (!stopped) draw()
    },
    stop() {
      if (stopped) return
      stopped = true
      clearInterval(timer)
      output.write(CLEAR_LINE)
    },
  }
}

function startPlain(output: Output, describe: () => string): Progress {
  let last = ''
  const timer = setInterval(() => {
    const line = describe()
    if (line !== last) output.write(`${line}\n`)
    last = line
  }, PLAIN_INTERVAL_MS)
  return {
    note: line => void output.write(`${line}\n`),
    stop: () => clearInterval(timer),
  }
}
