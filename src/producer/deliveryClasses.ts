import type { Logger } from 'kafkajs'
import type { DeliveryClass } from '../delivery/batch/batch.js'
import { findCompressor } from '../delivery/compression/findCompressor.js'
import { NonRetriableError } from '../errors/bases.js'

/** What a call may ask for, besides its messages. */
export interface CallOptions {
  readonly acks?: number | undefined
  readonly timeout?: number | undefined
  readonly compression?: number | undefined
}

export interface DeliveryDefaults {
  readonly acks: number
  readonly ackTimeoutMs: number
  readonly compression: number
  readonly idempotent: boolean | undefined
}

/** Whether records with acks -1 carry a producer id, and whether they are parts of transactions, which take no other acks. */
export type DeliveryMode = 'plain' | 'sequenced' | 'transactional'

const MAX_INT32 = 2147483647

/** The delivery classes of one session: calls that ask for the same share one, and so their batches. */
export class DeliveryClasses {
  private readonly classes = new Map<string, DeliveryClass>()
  private readonly defaults: DeliveryDefaults
  private readonly mode: DeliveryMode
  private readonly logger: Logger
  private hasWarned = false
  private common: DeliveryClass | undefined

  constructor(defaults: DeliveryDefaults, mode: DeliveryMode, logger: Logger) {
    this.defaults = defaults
    this.mode = mode
    this.logger = logger
  }

  /**
   * @throws {NonRetriableError} on acks, a timeout or a compression that cannot be
   */
  of({ acks, timeout, compression }: CallOptions): DeliveryClass {
    if (acks === undefined && timeout === undefined && compression === undefined) {
      // Looked up anew with a codec: one may have been registered with kafkajs since.
      if (this.defaults.compression !== 0) return this.find({})
      this.common ??= this.find({})
      return this.common
    }
    return this.find({ acks, timeout, compression })
  }

  private find({ acks, timeout, compression }: CallOptions): DeliveryClass {
    const wanted = {
      acks: acks ?? this.defaults.acks,
      ackTimeoutMs: timeout ?? this.defaults.ackTimeoutMs,
      compression: compression ?? this.defaults.compression,
    }
    if (![-1, 0, 1].includes(wanted.acks))
      throw new NonRetriableError(`acks must be -1, 0 or 1, not ${wanted.acks}`)
    if (
      !(Number.isInteger(wanted.ackTimeoutMs) && wanted.ackTimeoutMs >= 0 && wanted.ackTimeoutMs <= MAX_INT32)
    ) {
      throw new NonRetriableError(
        `timeout must be a whole number of ms from 0 on, not ${wanted.ackTimeoutMs}`,
      )
    }
    const compressor = wanted.compression === 0 ? undefined : findCompressor(wanted.compression)
    const key = `${wanted.acks} ${wanted.ackTimeoutMs} ${wanted.compression}`
    const known = this.classes.get(key)
    if (known !== undefined && known.compressor === compressor) return known
    const sequenced = this.mode !== 'plain' && wanted.acks === -1
    if (this.mode !== 'plain' && !sequenced) this.warn(wanted.acks)
    const found: DeliveryClass = {
      acks: wanted.acks,
      ackTimeoutMs: wanted.ackTimeoutMs,
      compressor,
      sequenced,
      transactional: this.mode === 'transactional',
    }
    this.classes.set(key, found)
    return found
  }

  private warn(acks: number): void {
    if (this.hasWarned) return
    this.hasWarned = true
    this.logger.warn(
      `A call with acks ${acks} goes without idempotence: a retry may write its records twice. Set idempotent: false to silence this, or idempotent: true to make it an error.`,
    )
  }
}
