import { SendAbortedError } from '../errors/index.js'
import type { SendCompletion } from './calls/sendCompletion.js'
import type { Admission } from './intake/admission.js'
import type { PendingSend } from './intake/pendingSend.js'
import type { BatchCompletion } from './outcome/batchCompletion.js'
import type { ProduceResponseHandler } from './outcome/responseHandler.js'
import type { PartitionQueue } from './partitions/partitionQueue.js'
import type { TopicRegistry } from './topics/topicRegistry.js'

export interface WithdrawalParts {
  readonly registry: TopicRegistry
  readonly admission: Admission
  readonly completion: BatchCompletion
  readonly responseHandler: ProduceResponseHandler
}

/** Takes records back that are in no request: those of one call, or all, where a transaction ends early. */
export class Withdrawal {
  private readonly parts: WithdrawalParts
  private waiters: (() => void)[] = []

  constructor(parts: WithdrawalParts) {
    this.parts = parts
  }

  /** Withdraws what a call has in no request yet. */
  call(
    entries: readonly PendingSend[],
    call: SendCompletion,
    topics: Iterable<string>,
    reason: unknown,
  ): void {
    const { admission, registry, completion } = this.parts
    for (const entry of entries) admission.waitFailures.abort(entry, reason)
    for (const name of topics) {
      for (const queue of registry.get(name)?.queues ?? []) {
        for (const batch of [...queue.batches]) {
          const error = new SendAbortedError(name, { partition: queue.partition, cause: reason })
          if (batch.attempts === 0) completion.withdraw(queue, batch, owner => call.owns(owner), error)
        }
      }
    }
  }

  /** Rejects what a queue has in no request. */
  queue(queue: PartitionQueue, error: Error): void {
    this.parts.completion.rejectAll(queue, error)
  }

  /** Rejects everything that is in no request; what is in one ends with its answer, and does not go again, until {@link resume}. */
  all(error: (topic: string) => Error): void {
    const { admission, registry, completion, responseHandler } = this.parts
    responseHandler.withdrawalError = error
    admission.waitFailures.close(registry.all, error)
    for (const topic of registry.all) {
      for (const queue of topic.queues)
        if (queue !== undefined) completion.rejectAll(queue, error(topic.name))
    }
  }

  resume(): void {
    this.parts.responseHandler.withdrawalError = undefined
  }

  /** Resolves when nothing is in a request. */
  landed(): Promise<void> {
    if (this.isLanded) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  private get isLanded(): boolean {
    for (const topic of this.parts.registry.all) {
      for (const queue of topic.queues) if (queue !== undefined && queue.inFlight > 0) return false
    }
    return true
  }

  /** A batch has ended. */
  noteEnd(): void {
    if (this.waiters.length === 0 || !this.isLanded) return
    for (const resume of this.waiters.splice(0)) resume()
  }

  /** The queues with sequences that may never be used. */
  get unsettled(): readonly PartitionQueue[] {
    return [...this.parts.registry.all].flatMap(({ queues }) => queues.filter(queue => queue.isUnsettled))
  }

  /** The producer has another identity, and nothing is left of what the former one has sent. */
  restart(): void {
    for (const topic of this.parts.registry.all) for (const queue of topic.queues) queue?.restart()
  }
}
