/** What a run of a question is told from outside. */
export interface BenchOptions {
  /** Interleaved rounds; every figure is a median over them. */
  readonly rounds: number
  /** Measured seconds of one contender in one round, after its warm-up. */
  readonly seconds: number
  readonly warmupSeconds: number
  /** Only contenders whose id contains one of these; ours always runs. Empty: all. */
  readonly only: readonly string[]
  /** bytes of a record's value, where the question does not fix it. */
  readonly valueBytes: number
  /** Unacknowledged records a client may hold. */
  readonly window: number
  /** Progress, one line a step. */
  readonly log: (line: string) => void
}

export const DEFAULTS = { rounds: 5, seconds: 3, warmupSeconds: 1, valueBytes: 100, window: 10_000 } as const
