import type { Logger } from 'kafkajs'
import type { DeliveryClass } from '../../delivery/batch/deliveryClass.js'
import { findCompressor } from '../../delivery/compression/findCompressor.js'
import { NonRetriableError } from '../../errors/bases.js'

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

/** So many values of `timeout` are kept as they are; the others are rounded up, so that calls share batches. */
const EXACT_TIMEOUTS = 4
/** Of each power of ten. */
const STEPS: readonly number[] = [1, 1.5, 2, 3, 4, 5, 6, 8, 10]

/** The next of a few values: 8 per power of ten. ms */
const roundedUp = (timeoutMs: number): number => {
  if (timeoutMs <= 10) return timeoutMs
  const power = 10 ** Math.floor(Math.log10(timeoutMs))
  const step = STEPS.find(each => each * power >= timeoutMs) ?? 10
  return Math.min(MAX_INT32, step * power)
}

/**
 * The delivery classes of one session: calls that ask for the same share one, and so their batches. They are few whatever the
 * calls ask for: from the fifth different `timeout` on it is rounded up by at most half (a broker only ever waits longer).
 */
export class DeliveryClasses {
  /** Bounded: by the codecs, three values of `acks`, and the time-outs that {@link roundedUp} leaves. */
  private readonly classes = new Map<string, DeliveryClass>()
  private readonly exactTimeouts = new Set<number>()
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
    wanted.ackTimeoutMs = this.shared(wanted.ackTimeoutMs)
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

  private shared(timeoutMs: number): number {
    const { exactTimeouts } = this
    if (timeoutMs === this.defaults.ackTimeoutMs || exactTimeouts.has(timeoutMs)) return timeoutMs
    if (exactTimeouts.size >= EXACT_TIMEOUTS) return roundedUp(timeoutMs)
    exactTimeouts.add(timeoutMs)
    return timeoutMs
  }

  private warn(acks: number): void {
    if (this.hasWarned) return
    this.hasWarned = true
    this.logger.warn(
      `A call with acks ${acks} goes without idempotence: a retry may write its records twice. Set idempotent: false to silence this, or idempotent: true to make it an error.`,
    )
  }
}
