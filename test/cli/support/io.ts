import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import type { StopSignal } from '../../../src/cli/process/exit.js'
import type { Io, Output } from '../../../src/cli/process/io.js'

class CapturedOutput extends PassThrough {
  text = ''

  constructor(
    readonly isTTY: boolean,
    readonly columns: number,
  ) {
    super()
    this.on('data', chunk => {
      this.text += String(chunk)
    })
  }
}

export interface TestIo extends Io {
  readonly stdout: CapturedOutput & Output
  readonly stderr: CapturedOutput & Output
  readonly exits: number[]
  /** Plays a signal from outside. */
  raise(signal: StopSignal): void
  /** How many listen for signals. */
  listeners(): number
}

export function testIo({
  stdin = '',
  env = {},
  tty = false,
  columns = 80,
}: {
  stdin?: string | Readable
  env?: NodeJS.ProcessEnv
  tty?: boolean
  columns?: number
} = {}): TestIo {
  const listeners = new Set<(signal: StopSignal) => void>()
  const exits: number[] = []
  return {
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)], { objectMode: false }) : stdin,
    stdout: new CapturedOutput(tty, columns),
    stderr: new CapturedOutput(tty, columns),
    env,
    exits,
    raise: signal => {
      for (const listener of [...listeners]) listener(signal)
    },
    listeners: () => listeners.size,
    onStopSignal(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    exitNow: code => void exits.push(code),
  }
}

/** Waits until the text printed so far satisfies `pattern`, and gives the match. */
export async function printed(output: CapturedOutput, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(output.text)
    if (match) return match
    await once(output, 'data')
  }
}
