import { messageOf } from '../errors/bases.js'
import type { FloodLog } from '../logging/floodLog.js'
import { failureType } from '../metadata/retry/failure.js'
import { isPromiseLike } from '../util/realms.js'
import type { ResilientProducerOptions } from './types.js'

export interface RecordPlace {
  readonly topic: string
  readonly partition: number
}

/** Failures that no promise or callback tells of: they go to the option `onDeliveryError`, or else to the log. */
export class UnownedFailures {
  private readonly onDeliveryError: ResilientProducerOptions['onDeliveryError']
  private readonly log: FloodLog

  constructor(onDeliveryError: ResilientProducerOptions['onDeliveryError'], log: FloodLog) {
    this.onDeliveryError = onDeliveryError
    this.log = log
  }

  /** Records of one place, for which nobody waits, have failed. */
  report(error: Error, place: RecordPlace, records = 1): void {
    const { onDeliveryError } = this
    if (onDeliveryError === undefined) {
      const line = () => ({
        one: `An enqueued record failed: ${error.message}`,
        many: `enqueued records failed, the first: ${error.message}`,
        details: { ...place, error: failureType(error) },
      })
      return this.log.report(`record ${failureType(error)}`, line, records)
    }
    for (let i = 0; i < records; i++) {
      try {
        const returned: unknown = onDeliveryError(error, place)
        if (isPromiseLike(returned)) {
          returned.then(undefined, thrown => this.threw('onDeliveryError', thrown, place))
        }
      } catch (thrown) {
        this.threw('onDeliveryError', thrown, place)
      }
    }
  }

  /** A callback of the user's threw. */
  threw(
    callback: 'onDeliveryError' | 'onDelivery',
    thrown: unknown,
    { topic, partition }: RecordPlace,
  ): void {
    const message = `${callback} threw: ${messageOf(thrown)}`
    const line = () => ({ one: message, many: `times ${message}`, details: { topic, partition } })
    this.log.report(callback, line)
  }

  /** Writes what is gathered: the producer closes. */
  flush(): void {
    this.log.flush()
  }
}
