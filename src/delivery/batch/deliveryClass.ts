import type { BatchCompressor } from '../compression/compressor.js'

/** What all records of a batch share: calls that differ in it do not share a batch. */
export interface DeliveryClass {
  readonly acks: number
  /** The broker's wait for its replicas. ms */
  readonly ackTimeoutMs: number
  readonly compressor: BatchCompressor | undefined
  /** With producer id and sequence; never with acks 0 or 1. */
  readonly sequenced: boolean
  readonly transactional: boolean
}
