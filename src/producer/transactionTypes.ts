import type { Offsets, ProducerBatch, ProducerRecord, RecordMetadata, Transaction } from 'kafkajs'
import type { Abortable } from './abortable.js'

/**
 * What `sendOffsets` takes: kafkajs's argument, and the consumer's membership in its group, so that the coordinator refuses the offsets of a
 * consumer that has lost its partitions (KIP-447).
 */
export interface TransactionOffsets extends Offsets {
  /** The group whose offsets are committed. Required. */
  readonly consumerGroupId: string
  /**
   * The generation in which the consumer read the records; -1: the group does not check it.
   *
   * @defaultValue -1
   */
  readonly generationId?: number | undefined
  /**
   * The consumer's id in its group; '': the group does not check it.
   *
   * @defaultValue ''
   */
  readonly memberId?: string | undefined
  /**
   * The consumer's `group.instance.id`, for static membership (KIP-345).
   *
   * @defaultValue null
   */
  readonly groupInstanceId?: string | null | undefined
}

/** kafkajs's `Transaction`, and more (KIP-98). Its methods need no `this`. */
export interface ResilientTransaction extends Omit<Transaction, 'send' | 'sendBatch' | 'sendOffsets'> {
  /**
   * As the producer's `send`. The records become visible to readers of committed records with the commit.
   *
   * @throws {@link TransactionFailedError} after a failure in the transaction: only {@link ResilientTransaction.abort} is possible then;
   *   {@link TransactionAbortedError} when `abort()` dropped the record; the errors of the producer's `send`
   * @example
   * await transaction.send({ topic: 'invoices', messages: [{ key: 'o-1', value: 'paid' }] })
   */
  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]>
  /**
   * As the producer's `sendBatch`.
   *
   * @throws as `send`
   * @example
   * await transaction.sendBatch({ topicMessages: [{ topic: 'invoices', messages: [{ value: 'paid' }] }] })
   */
  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]>
  /**
   * Makes a group's offsets a part of the transaction: the commit commits them too (AddOffsetsToTxn and TxnOffsetCommit; KIP-98, KIP-447).
   *
   * @throws {@link OffsetsRefusedError} when the group refuses them, as after a rebalance; {@link CoordinatorTimeoutError} after `deliveryTimeoutMs`
   * @example
   * const topics = [{ topic: 'orders', partitions: [{ partition: 0, offset: '42' }] }]
   * await transaction.sendOffsets({ ...consumer.groupMetadata(), topics })
   */
  sendOffsets(offsets: TransactionOffsets): Promise<void>
  /**
   * Waits for all calls of the transaction and commits it (EndTxn).
   *
   * @throws {@link TransactionFailedError} when one of them has failed: nothing is committed, and `abort()` is next.
   *   {@link ProducerFencedError}, {@link TransactionTimedOutError}, {@link TransactionRefusedError} and {@link CoordinatorTimeoutError}: the
   *   producer can do nothing more until it is connected again; with `outcome: 'unknown'` the transaction may have been committed
   * @example
   * try {
   *   await transaction.commit()
   * } catch (error) {
   *   if (transaction.isActive()) await transaction.abort()
   *   throw error
   * }
   */
  commit(): Promise<void>
  /**
   * Drops the records that are in no request yet ({@link TransactionAbortedError}), waits for the others, and aborts (EndTxn).
   *
   * @throws {@link ProducerFencedError}, {@link TransactionTimedOutError}, {@link TransactionRefusedError}, {@link CoordinatorTimeoutError}
   * @example
   * if (transaction.isActive()) await transaction.abort()
   */
  abort(): Promise<void>
}
