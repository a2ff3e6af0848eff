import type { Message, RecordMetadata } from 'kafkajs'
import type { DeliveryClass } from './batch/deliveryClass.js'
import type { BrokerStatus } from './brokers/brokerStatus.js'
import type { Destination } from './buffer/shares.js'
import type { EngineParts, EngineSettings } from './engineParts.js'
import { Hold } from './intake/hold.js'
import { Refused } from './intake/refused.js'
import type { PartitionQueue } from './partitions/partitionQueue.js'
import type { CallLinks } from './waiting/callLinks.js'
import type { SendCompletion } from './waiting/sendCompletion.js'
import type { TopicPartitions } from './waiting/topicPartitions.js'
import { Wiring } from './wiring.js'

export { BufferBudget as SharedBuffer } from './buffer/bufferBudget.js'
export type { EngineParts, EngineSettings } from './engineParts.js'
export type { Hold } from './intake/hold.js'

/** A topic to which records were sent before. */
export type KnownTopic = TopicPartitions

/** From an accepted message to its end: what a producer may call. {@link Wiring} has the parts. */
export class DeliveryEngine {
  private readonly wiring: Wiring

  constructor(settings: EngineSettings, parts: EngineParts) {
    this.wiring = new Wiring(settings, parts)
  }

  get requestsInFlight(): number {
    return this.wiring.senders.inFlight
  }

  /** How each broker serves that has been sent to. */
  get brokers(): readonly BrokerStatus[] {
    return this.wiring.senders.statuses
  }

  /** When the call of the oldest record was made that has not ended; Infinity: there is none. ms on the clock of `performance.now()` */
  get oldestRecordAt(): number {
    return this.wiring.oldestRecordAt
  }

  /** The topic, where records were sent to it before: its name is a valid one. */
  topic(name: string): KnownTopic | undefined {
    return this.wiring.registry.get(name)
  }

  /** The topic of this name, which was found valid. */
  topicOf(name: string): KnownTopic {
    return this.wiring.registry.partitionsOf(name)
  }

  /** Takes one message of one call: the common case. */
  sendOne(topic: KnownTopic, message: Message, deliveryClass: DeliveryClass): Promise<RecordMetadata[]> {
    return this.wiring.admission.sendOne(topic, message, deliveryClass)
  }

  /** Takes validated messages of one topic. */
  submit(
    topicName: string,
    messages: readonly Message[],
    call: SendCompletion,
    deliveryClass: DeliveryClass,
  ): void {
    const { admission, registry } = this.wiring
    admission.submit(registry.partitionsOf(topicName), messages, call, deliveryClass)
  }

  /** Takes a message that waits for its turn however long that takes: the source of a stream is held back so long. */
  submitPatiently(
    topicName: string,
    message: Message,
    call: SendCompletion,
    deliveryClass: DeliveryClass,
  ): void {
    const { admission, registry } = this.wiring
    admission.submit(registry.partitionsOf(topicName), [message], call, deliveryClass, 'endless')
  }

  /**
   * Takes a message if there is room for it.
   *
   * @returns what the caller should wait for before it hands over more, if anything
   */
  enqueue(
    topic: KnownTopic,
    message: Message,
    call: SendCompletion,
    deliveryClass: DeliveryClass,
  ): Hold | undefined {
    const { admission, budget } = this.wiring
    const at = admission.enqueue(topic, message, deliveryClass, call)
    if (at instanceof Refused) return new Hold(budget, at.destination, 'refused')
    return at === undefined ? undefined : this.holdAt(at, admission.measuredBytes)
  }

  /**
   * What to wait for before more is handed over for this destination, if anything.
   *
   * @param nextBytes what the next record may be expected to take
   */
  holdAt(destination: Destination, nextBytes = 0): Hold | undefined {
    const { budget } = this.wiring
    return Hold.isDue(budget, destination, nextBytes) ? new Hold(budget, destination, 'taken') : undefined
  }

  /** Withdraws what a call has in no request yet. @param topic the call's first */
  abortUnsent(links: CallLinks, topic: string, reason: unknown): void {
    this.wiring.withdrawal.call(links, topic, reason)
  }

  /** Resolves when everything that was accepted before has ended. */
  flush(): Promise<void> {
    const { busy, flushBarriers } = this.wiring
    // What came before the last flush has left its open batch by then.
    if (!flushBarriers.current.isEmpty) for (const queue of busy.all) queue.closeOpen()
    return flushBarriers.seal()
  }

  /** Rejects what is left and lets go of every timer and connection. Resolves when all of it has been told. */
  close(): Promise<void> {
    return this.wiring.close()
  }

  // What transactions need.

  /** A coordinator does not know the topic: it is asked for, and where it was deleted it is waited for as a new one. */
  suspectTopic(name: string): void {
    this.wiring.registry.refreshLeaders(name, undefined)
  }

  /** Rejects what a partition has in no request. */
  rejectUnsentOf(queue: PartitionQueue, error: Error): void {
    this.wiring.withdrawal.queue(queue, error)
  }

  /** Rejects everything that is in no request; what is in one ends with its answer, and is not retried, until {@link resume}. */
  rejectUnsent(error: (topic: string) => Error): void {
    this.wiring.withdrawal.all(error)
  }

  resume(): void {
    this.wiring.withdrawal.resume()
  }

  /** Resolves when nothing is in a request. */
  landed(): Promise<void> {
    return this.wiring.withdrawal.landed()
  }

  /** The partitions with sequences that may never be used. */
  get unsettled(): readonly PartitionQueue[] {
    return this.wiring.withdrawal.unsettled
  }

  /** The producer has another identity, and nothing is left of what the former one has sent. */
  restart(): void {
    this.wiring.withdrawal.restart()
  }
}
