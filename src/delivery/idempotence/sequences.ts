import type { ProducerIdentity } from '../batch/producerIdentity.js'

/** Epochs have 16 bits. */
export const MAX_EPOCH = 32767
const SEQUENCES = 2 ** 31

/** Sequences wrap from 2147483647 to 0. */
export const advanceSequence = (sequence: number, records: number): number => (sequence + records) % SEQUENCES

/**
 * The numbering of one partition's batches (KIP-98, KIP-360): what to give the next batch, and what the broker has
 * acknowledged. An epoch is bumped for one partition alone: brokers keep the state of a producer by partition.
 */
export class PartitionSequences {
  private current: ProducerIdentity | undefined
  private next = 0
  /** The sequence that the broker expects next, as far as its acknowledgements tell. */
  private acknowledgedNext = 0

  get identity(): ProducerIdentity | undefined {
    return this.current
  }

  get expected(): number {
    return this.acknowledgedNext
  }

  /** Starts over at sequence 0 under an identity that this partition has not used. */
  start(identity: ProducerIdentity): void {
    this.current = identity
    this.next = 0
    this.acknowledgedNext = 0
  }

  /**
   * Whatever identity comes next, it starts over.
   *
   * @returns false: a new id is needed
   */
  forget(): false {
    this.current = undefined
    return false
  }

  /** Takes the sequences of one batch. */
  assign(records: number): number {
    const base = this.next
    this.next = advanceSequence(base, records)
    return base
  }

  acknowledge(baseSequence: number, records: number): void {
    const behind = advanceSequence(baseSequence, records)
    // A batch that timed out at the broker is acknowledged after those behind it: what they proved still holds.
    const ahead = (behind - this.acknowledgedNext + SEQUENCES) % SEQUENCES
    if (ahead < SEQUENCES / 2) this.acknowledgedNext = behind
  }

  /** Whether everything that was numbered has been acknowledged. */
  get isSettled(): boolean {
    return this.next === this.acknowledgedNext
  }

  /** @returns false when the epochs of this producer id are used up: a new id is needed */
  bump(): boolean {
    const { current } = this
    if (current === undefined || current.epoch >= MAX_EPOCH) {
      this.current = undefined
      return false
    }
    this.start({ producerId: current.producerId, epoch: current.epoch + 1 })
    return true
  }
}
