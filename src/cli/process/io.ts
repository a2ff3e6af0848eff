import type { Readable, Writable } from 'node:stream'
import { endProcess } from './endProcess.js'
import type { StopSignal } from './exit.js'

export type Output = Writable & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}
export type Input = Readable & {
  readonly isTTY?: boolean | undefined
  /** Of a terminal: keys come as they are pressed, Ctrl-C too. */
  setRawMode?(isRaw: boolean): unknown
}

/** Everything a command touches of its process, so that tests can run commands in process. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly env: NodeJS.ProcessEnv
  /** Calls the listener at each SIGINT and SIGTERM until the returned remover is called. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
  /** Ends the process without waiting for what it is at. */
  exitNow(code: number): void
}

export const processIo: Io = {
  // A getter: touching process.stdin opens it, which `embedded` has no use for.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onStopSignal(listener) {
    process.on('SIGINT', listener).on('SIGTERM', listener)
    return () => void process.off('SIGINT', listener).off('SIGTERM', listener)
  },
  exitNow: code => void endProcess(code),
}
