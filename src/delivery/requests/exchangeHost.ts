import type { BrokerAddress } from '../../transport/port.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'
import type { InFlightBatch } from './inFlightRequest.js'

export interface ExchangeSettings {
  /** No request grows beyond this by a further batch. bytes */
  readonly requestTargetBytes: number
  readonly requestTimeoutMs: number
  /** All batches are parts of its transactions. */
  readonly transactionalId: string | undefined
}

/** What the exchanges with a broker tell the engine. */
export interface ExchangeHost {
  departed(inFlightBatches: readonly InFlightBatch[], now: number): void
  /** @param endpoint the address of the leader that the answer hints at (KIP-951) */
  answered(inFlightBatch: InFlightBatch, answer: PartitionAnswer, endpoint: BrokerAddress | undefined): void
  /** acks 0: written, and nothing more will come. */
  written(inFlightBatch: InFlightBatch): void
  /**
   * The request ended without an answer; `sent`: a part of it may have reached the broker.
   *
   * @param isExcused it may have been too large for the broker, and goes in smaller requests: that was no attempt
   */
  lost(inFlightBatch: InFlightBatch, error: Error, sent: boolean, isExcused: boolean): void
  /** A request's buffers are free again. */
  released(inFlightBatches: readonly InFlightBatch[]): void
  takeFrame(bytes: number): Buffer
  giveFrame(frame: Buffer): void
}
