/** A further request that carried a batch. */
export interface Retry {
  /** The second request is attempt 2. */
  readonly attempt: number
  /** Kafka's name of the error, or the class of the error, that ended the attempt before. */
  readonly reason: string
  /** ms on the clock of `performance.now()` */
  readonly at: number
  /** Since the request before it. ms */
  readonly afterMs: number
}

/** So many retries are kept one by one, the first ones; the others are only counted. */
const MOST_RETRIES = 32

/** The attempts of a batch some of whose records are watched; no other batch has one. */
export class AttemptLog {
  /** Requests that carried the batch. */
  attempts = 0
  readonly retries: Retry[] = []
  /** Node ids of the brokers at which its records were, or waited to be sent. */
  readonly brokers = new Set<number>()
  private sentAt = 0

  /** @param attempt the first is 1 */
  sent(attempt: number, broker: number, at: number, reason: string): void {
    if (attempt > 1 && this.retries.length < MOST_RETRIES) {
      this.retries.push({ attempt, reason, at, afterMs: at - this.sentAt })
    }
    this.attempts = attempt
    this.sentAt = at
    this.brokers.add(broker)
  }

  /** For a part of the batch, which goes its own way from here. */
  copy(): AttemptLog {
    const copy = new AttemptLog()
    copy.attempts = this.attempts
    copy.retries.push(...this.retries)
    for (const broker of this.brokers) copy.brokers.add(broker)
    copy.sentAt = this.sentAt
    return copy
  }
}
