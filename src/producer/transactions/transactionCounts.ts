import type { ProducerObserver, TransactionOutcome } from '../../metrics/observer.js'

/** Counts transactions, and their records when it is known what became of them: acknowledged alone, they are not sent. */
export class TransactionCounts {
  /** What the engine of the transactions reports to. */
  readonly observer: ProducerObserver
  private readonly reported: ProducerObserver
  /** Acknowledged in the open transaction. */
  private readonly acknowledged = new Map<string, number>()
  private begunAt: number | undefined

  constructor(reported: ProducerObserver) {
    this.reported = reported
    this.observer = {
      ...reported,
      recordsSent: (topic, records) => {
        this.acknowledged.set(topic, (this.acknowledged.get(topic) ?? 0) + records)
      },
    }
  }

  begun(): void {
    this.begunAt = performance.now()
    this.reported.transactionBegun()
  }

  /** @param isKnown whether it is certain that what was acknowledged is committed, or that it is not */
  ended(outcome: TransactionOutcome, isKnown = true): void {
    if (this.begunAt === undefined) return
    this.reported.transactionEnded(outcome, performance.now() - this.begunAt)
    this.begunAt = undefined
    if (isKnown) {
      for (const [topic, records] of this.acknowledged) {
        if (outcome === 'committed') this.reported.recordsSent(topic, records)
        else this.reported.recordsAborted(topic, records)
      }
    }
    this.acknowledged.clear()
  }
}
