import { ERROR } from '../../protocol/errorCodes.js'
import type { BrokerModel } from '../model/brokerModel.js'

/** How many batches of one producer a broker remembers per partition (ProducerStateEntry.NUM_BATCHES_TO_RETAIN). */
const REMEMBERED_BATCHES = 5
const MAX_SEQUENCE = 2147483647

/** What the checks need of a batch. */
export interface SequencedBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastOffsetDelta: number
}

interface RememberedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

interface ProducerState {
  epoch: number
  /** The newest at the end; empty after an epoch that wrote no data here (a transaction marker). */
  batches: RememberedBatch[]
}

export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

/** Sequences wrap from 2147483647 to 0 (DefaultRecordBatch.incrementSequence). */
const addToSequence = (sequence: number, increment: number): number =>
  sequence > MAX_SEQUENCE - increment ? increment - (MAX_SEQUENCE - sequence) - 1 : sequence + increment

/**
 * A partition's memory of its producers, and the checks a leader makes with it (ProducerAppendInfo,
 * ProducerStateEntry). It belongs to the log, so it moves with a leader.
 */
export class ProducerStates {
  private readonly states = new Map<number, ProducerState>()
  private readonly inTransaction = new Set<number>()

  check(batch: SequencedBatch, { unknownProducer }: Pick<BrokerModel, 'unknownProducer'>): SequenceVerdict {
    const state = this.states.get(batch.producerId)
    if (!state) return this.checkUnknown(batch, unknownProducer)
    const lastSequence = addToSequence(batch.baseSequence, batch.lastOffsetDelta)
    if (batch.producerEpoch === state.epoch) {
      const known = state.batches.find(
        each => each.baseSequence === batch.baseSequence && each.lastSequence === lastSequence,
      )
      if (known) return { kind: 'duplicate', baseOffset: known.baseOffset }
    }
    if (batch.producerEpoch < state.epoch) {
      return {
        kind: 'refused',
        errorCode: ERROR.INVALID_PRODUCER_EPOCH,
        message: `Epoch of producer ${batch.producerId} is ${batch.producerEpoch}, which is smaller than the last seen epoch ${state.epoch}`,
      }
    }
    const newest = state.batches.at(-1)
    const continues = newest !== undefined && batch.producerEpoch === state.epoch
    const expected = continues ? addToSequence(newest.lastSequence, 1) : 0
    if (batch.baseSequence !== expected) {
      return {
        kind: 'refused',
        errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
        message: `Out of order sequence number for producer ${batch.producerId}: ${batch.baseSequence} (incoming seq. number), ${newest?.lastSequence ?? -1} (current end sequence number)`,
      }
    }
    return { kind: 'append' }
  }

  /** Without state newer brokers take any first sequence: they cannot know what came before. */
  private checkUnknown(
    { producerId, baseSequence }: SequencedBatch,
    errorCode: BrokerModel['unknownProducer'],
  ): SequenceVerdict {
    if (errorCode === undefined || baseSequence === 0) return { kind: 'append' }
    return {
      kind: 'refused',
      errorCode,
      message: `Found no record of producerId=${producerId} on the broker. The first sequence number is ${baseSequence}`,
    }
  }

  remember(batch: SequencedBatch, baseOffset: number): void {
    let state = this.states.get(batch.producerId)
    if (!state || state.epoch !== batch.producerEpoch) {
      state = { epoch: batch.producerEpoch, batches: [] }
      this.states.set(batch.producerId, state)
    }
    state.batches.push({
      baseSequence: batch.baseSequence,
      lastSequence: addToSequence(batch.baseSequence, batch.lastOffsetDelta),
      baseOffset,
    })
    if (state.batches.length > REMEMBERED_BATCHES) state.batches.shift()
  }

  /** A coordinator said that a transaction of this producer includes the partition. */
  joinTransaction(producerId: number): void {
    this.inTransaction.add(producerId)
  }

  isInTransaction(producerId: number): boolean {
    return this.inTransaction.has(producerId)
  }

  /** A transaction marker was written: its epoch is the producer's now. */
  marked(producerId: number, epoch: number): void {
    this.inTransaction.delete(producerId)
    const state = this.states.get(producerId)
    if (!state || state.epoch < epoch) this.states.set(producerId, { epoch, batches: [] })
  }

  /** The log was cut at this offset: what was behind it was never written. */
  truncate(offset: number): void {
    for (const [producerId, state] of this.states) {
      state.batches = state.batches.filter(({ baseOffset }) => baseOffset < offset)
      if (state.batches.length === 0) this.states.delete(producerId)
    }
  }

  /** As a broker that was killed and started again: its snapshots have each producer's last batch alone. */
  forgetAllButLastBatch(): void {
    for (const state of this.states.values()) state.batches = state.batches.slice(-1)
  }

  /** As after `producer.id.expiration.ms`, or the deletion of all its records in older brokers. */
  forget(): void {
    this.states.clear()
  }
}
