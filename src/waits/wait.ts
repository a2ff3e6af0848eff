/**
 * What records, calls or requests can wait for. The values of the metrics' label `for` are these.
 *
 * - `topic`: the topic does not exist (yet), as far as brokers say
 * - `leader`: the partition has no leader
 * - `connection`: the broker cannot be reached, or closes the connection
 * - `authentication`: the broker refuses the login, or the token provider fails
 * - `answer`: the broker is connected and does not answer
 * - `retry`: the broker answered with a retriable error
 * - `quota`: the broker throttles this client (KIP-219)
 * - `buffer`: `bufferBytes` is used up
 * - `producer_id`: no broker has given a producer id
 * - `coordinator`: the coordinator of a transaction or group does not answer, or is loading
 */
export const WAIT_KINDS = [
  'topic',
  'leader',
  'connection',
  'authentication',
  'answer',
  'retry',
  'quota',
  'buffer',
  'producer_id',
  'coordinator',
] as const
/** What is waited for: one of {@link WAIT_KINDS}. */
export type WaitKind = (typeof WAIT_KINDS)[number]

/** How a wait ended: what was waited for came, or nobody waits for it any more. */
export type WaitEnd = 'over' | 'given-up'

/** What a wait is about, as far as it applies. */
export interface WaitSubject {
  /** The topic. */
  readonly topic?: string
  /** The partition. */
  readonly partition?: number
  /** The broker's node id; undefined for seed brokers, whose ids are not known. */
  readonly broker?: number
  /** For a coordinator: `transaction "id"` or `group "id"`. */
  readonly coordinator?: string
}

/** What waits. Asked only where somebody looks: for a scrape, a log line, `health()`. */
export interface Waiters {
  /** How many records wait at this moment. */
  readonly waitingRecords: number
  /** Since when the first of them has waited, where that moves on. ms on the registry's clock */
  readonly waitingSince?: number | undefined
}

/** Why a wait goes on, where that changes often. Asked only where somebody looks. */
export interface Explanation {
  /** The last error that was met, if there was one. */
  readonly error: Error | undefined
  /** What the wait is most likely in vain for, as a sentence. */
  readonly likelyCause: string | undefined
}

export const nobody: Waiters = { waitingRecords: 0 }

/** One ongoing wait. Made and changed by the {@link WaitRegistry} alone. */
export class Wait {
  kind: WaitKind
  /** That with which it began. */
  readonly firstKind: WaitKind
  readonly subject: WaitSubject
  readonly waiters: Waiters
  private readonly begun: number
  private readonly explanation: Explanation | undefined
  private lastError: Error | undefined

  constructor(
    kind: WaitKind,
    subject: WaitSubject,
    waiters: Waiters,
    since: number,
    why: Explanation | Error | undefined,
  ) {
    this.kind = kind
    this.firstKind = kind
    this.subject = subject
    this.waiters = waiters
    this.begun = since
    if (why !== undefined && 'likelyCause' in why) this.explanation = why
    else this.lastError = why
  }

  /** Since when without a break. ms on the registry's clock */
  get since(): number {
    return Math.max(this.begun, this.waiters.waitingSince ?? this.begun)
  }

  /** The last error that was met, if there was one. */
  get error(): Error | undefined {
    return this.explanation === undefined ? this.lastError : this.explanation.error
  }

  get likelyCause(): string | undefined {
    return this.explanation?.likelyCause
  }

  /** @internal the registry's */
  become(kind: WaitKind, error: Error | undefined): void {
    this.kind = kind
    this.lastError = error
  }
}
