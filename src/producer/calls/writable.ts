import { Writable } from 'node:stream'
import type { OnDelivery } from '../../delivery/calls/enqueuedRecord.js'
import { asError } from '../../util/realms.js'
import type { TopicMessage, WritableOptions } from '../types.js'

/** The buffer has a stream's record and no room for more of its kind. */
export interface HeldWrite {
  /** There is room again. */
  readonly ended: Promise<void>
  /** Nobody waits for it any more. */
  cancel(): void
}

export interface WritableTarget {
  /**
   * Takes a record as soon as there is room for it.
   *
   * @param onTaken called when it has it: at most once, and not where `onDelivery` is called first
   * @returns what withdraws a record that was not taken yet
   * @throws on bad input
   */
  hand(
    record: TopicMessage,
    onDelivery: OnDelivery,
    onTaken: (held: HeldWrite | undefined) => void,
  ): { withdraw(): void }
}

/**
 * A Writable of `{ topic, ...message }`. It holds its source back when the buffer fills, ends after the acknowledgement
 * of its own records, and is destroyed by a record's failure unless `onError` takes it. Once destroyed it hands over nothing more.
 */
export const createWritable = (target: WritableTarget, listeners: WritableOptions): Writable => {
  const { onError, onDelivery } = listeners
  let unended = 0
  let whenEnded: (() => void) | undefined
  /** Gives up what the stream waits for, and answers the write: until then Node.js tells those behind it nothing. */
  let stopWaiting: ((error: Error) => void) | undefined
  const tell = (listener: () => void): void => {
    try {
      listener()
    } catch (thrown) {
      stream.destroy(asError(thrown))
    }
  }
  const fail = (error: Error, record: TopicMessage): void => {
    if (stream.destroyed) return
    if (onError === undefined) stream.destroy(error)
    else tell(() => onError(error, record))
  }
  const stream: Writable = new Writable({
    objectMode: true,
    write(record: TopicMessage, _encoding, callback) {
      let isAnswered = false
      /** Lets the next record come. */
      const goOn = (error?: Error | null): void => {
        if (isAnswered) return
        isAnswered = true
        stopWaiting = undefined
        callback(error)
      }
      const taken = (held: HeldWrite | undefined): void => {
        if (held === undefined) return goOn()
        stopWaiting = () => {
          held.cancel()
          goOn()
        }
        held.ended.then(() => goOn(), goOn)
      }
      unended++
      try {
        const handed = target.hand(
          record,
          (error, delivered) => {
            unended--
            tell(() => onDelivery?.(error, record, delivered))
            if (error !== null) fail(error, record)
            // It ended before it was taken.
            if (error !== null) goOn()
            if (unended === 0) whenEnded?.()
          },
          taken,
        )
        if (!isAnswered) {
          stopWaiting ??= error => {
            handed.withdraw()
            goOn(error)
          }
        }
      } catch (error) {
        unended--
        const nowhere = { topic: record.topic, partition: -1, offset: undefined }
        tell(() => onDelivery?.(error as Error, record, nowhere))
        fail(error as Error, record)
        goOn()
      }
    },
    destroy(error, callback) {
      const stop = stopWaiting
      stopWaiting = undefined
      stop?.(error ?? new Error('The stream was destroyed before the producer took the record'))
      callback(error)
    },
    final(callback) {
      if (unended === 0) callback()
      else whenEnded = callback
    },
  })
  return stream
}
