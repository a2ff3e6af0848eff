/** The signals that stop a command in an orderly way. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/** What a command's exit status says. */
export const ExitCode = {
  /** Everything was done. */
  ok: 0,
  /** It failed, or some of it did: a record not delivered, a malformed line. */
  failed: 1,
  /** The command line, the environment or the configuration file is wrong; nothing was begun. */
  usage: 2,
  /** The cluster is not as the file of topics declares it. */
  drift: 3,
  /** 128 + SIGINT, as shells count. */
  interrupted: 130,
  /** 128 + SIGPIPE: whoever read the output has gone. */
  closedPipe: 141,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const

/** The command line or the configuration cannot mean anything. */
export class UsageError extends Error {
  override name = 'UsageError'
  /** Each is told on a line of its own. */
  readonly problems: readonly string[]

  constructor(...problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Why a command was asked to wind down: the reason of the signal it runs under. */
export class Interruption extends Error {
  override name = 'Interruption'

  constructor(readonly by: StopSignal | 'closed pipe') {
    super(`stopped by ${by}`)
  }

  get exitCode(): number {
    if (this.by === 'SIGINT') return ExitCode.interrupted
    return this.by === 'SIGTERM' ? ExitCode.terminated : ExitCode.closedPipe
  }
}
