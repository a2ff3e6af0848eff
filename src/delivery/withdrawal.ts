import { SendAbortedError } from '../errors/index.js'
import { withoutStack } from '../errors/withoutStack.js'
import type { BufferBudget } from './buffer/bufferBudget.js'
import type { BatchCompletion } from './outcome/batchCompletion.js'
import type { ProduceResponseHandler } from './outcome/responseHandler.js'
import type { BusyQueues } from './partitions/busyQueues.js'
import type { PartitionQueue } from './partitions/partitionQueue.js'
import type { CallLinks } from './waiting/callLinks.js'
import type { WaitFailures } from './waiting/waitFailures.js'

export interface WithdrawalParts {
  readonly budget: BufferBudget
  readonly busy: BusyQueues
  readonly waitFailures: WaitFailures
  readonly completion: BatchCompletion
  readonly responseHandler: ProduceResponseHandler
}

/** Takes records back that are in no request: those of one call, or all, where a transaction ends early. */
export class Withdrawal {
  private readonly parts: WithdrawalParts
  private waiters: (() => void)[] = []
  /** The queues that had batches since the last {@link Withdrawal.resume}, and those that were unsettled then. */
  private readonly touched = new Set<PartitionQueue>()
  /** Those that had batches since the last {@link Withdrawal.restart}: no other has an identity. */
  private readonly numbered = new Set<PartitionQueue>()

  constructor(parts: WithdrawalParts) {
    this.parts = parts
  }

  /** Withdraws what a call has in no request yet: one error for all of it. */
  call(links: CallLinks, topic: string, reason: unknown): void {
    const { budget, waitFailures, completion } = this.parts
    // Its cause says where it comes from.
    const error = withoutStack(
      () => new SendAbortedError(topic, { partition: partitionIn(links), cause: reason }),
    )
    links.withdrawnBy = error
    waitFailures.withdraw(links, error)
    for (const [batch, placed] of links.batches) completion.withdraw(batch, placed, error)
    budget.freed()
  }

  /** Rejects what a queue has in no request. */
  queue(queue: PartitionQueue, error: Error): void {
    this.parts.completion.rejectAll(queue, error)
  }

  /** Rejects everything that is in no request; what is in one ends with its answer, and is not retried, until {@link resume}. */
  all(error: (topic: string) => Error): void {
    const { busy, waitFailures, completion, responseHandler } = this.parts
    const ofTopic = onePerTopic(error)
    responseHandler.retries.withdrawalError = ofTopic
    waitFailures.all(ofTopic)
    for (const queue of busy.all) completion.rejectAll(queue, ofTopic(queue.topic))
  }

  resume(): void {
    // What is unsettled stays so until another epoch is there, however many transactions' ends it takes to get one.
    for (const queue of this.touched) if (!queue.producerState.isUnsettled) this.touched.delete(queue)
    this.parts.responseHandler.retries.withdrawalError = undefined
  }

  /** Resolves when nothing is in a request. */
  landed(): Promise<void> {
    if (this.parts.busy.inFlight === 0) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  /** A batch has ended. */
  noteEnd(): void {
    if (this.waiters.length === 0 || this.parts.busy.inFlight > 0) return
    for (const resume of this.waiters.splice(0)) resume()
  }

  /** The queue has a batch. */
  noteUse(queue: PartitionQueue): void {
    this.touched.add(queue)
    this.numbered.add(queue)
  }

  /** The queue is given back. */
  forget(queue: PartitionQueue): void {
    this.numbered.delete(queue)
  }

  /** The queues with sequences that may never be used. */
  get unsettled(): readonly PartitionQueue[] {
    return [...this.touched].filter(queue => queue.producerState.isUnsettled)
  }

  /** The producer has another identity, and nothing is left of what the former one has sent. */
  restart(): void {
    for (const { producerState } of this.numbered) producerState.restart()
    this.numbered.clear()
  }
}

/** The partition, where all of the call's records are in batches of one. */
const partitionIn = ({ waiting, batches }: CallLinks): number | undefined => {
  if (waiting.size > 0) return undefined
  let partition: number | undefined
  for (const { queue, attempts, state } of batches.keys()) {
    if (queue === undefined || attempts > 0 || state === 'ended') continue
    if (partition !== undefined && partition !== queue.partition) return undefined
    partition = queue.partition
  }
  return partition
}

/** The stack of the first says where they all come from. */
const onePerTopic = (make: (topic: string) => Error): ((topic: string) => Error) => {
  const made = new Map<string, Error>()
  return topic => {
    let error = made.get(topic)
    if (error === undefined) {
      error = made.size === 0 ? make(topic) : withoutStack(() => make(topic))
      made.set(topic, error)
    }
    return error
  }
}
