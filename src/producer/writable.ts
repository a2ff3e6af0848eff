import { Writable } from 'node:stream'
import type { OnDelivery } from '../delivery/calls/enqueuedRecord.js'
import { asError } from '../util/realms.js'
import type { TopicMessage, WritableOptions } from './types.js'

export interface WritableTarget {
  enqueue(record: TopicMessage, onDelivery: OnDelivery): boolean
  ready(): Promise<void>
  /** Whether the record would be taken at once. */
  hasRoom(record: TopicMessage): boolean
  whenRoom(record: TopicMessage): Promise<void>
}

/**
 * A Writable of `{ topic, ...message }`. It holds its source back when the buffer fills, ends after the acknowledgement
 * of its own records, and is destroyed by a record's failure unless `onError` takes it.
 */
export const createWritable = (target: WritableTarget, listeners: WritableOptions): Writable => {
  const { onError, onDelivery } = listeners
  let unended = 0
  let whenEnded: (() => void) | undefined
  const tell = (listener: () => void): void => {
    try {
      listener()
    } catch (thrown) {
      stream.destroy(asError(thrown))
    }
  }
  const stream: Writable = new Writable({
    objectMode: true,
    write(record: TopicMessage, _encoding, callback) {
      const fail = (error: Error): void => {
        if (onError === undefined) stream.destroy(error)
        else tell(() => onError(error, record))
      }
      const accept = (): void => {
        let hasSpace: boolean
        unended++
        try {
          hasSpace = target.enqueue(record, (error, delivered) => {
            unended--
            tell(() => onDelivery?.(error, record, delivered))
            if (error !== null) fail(error)
            if (unended === 0) whenEnded?.()
          })
        } catch (error) {
          unended--
          const nowhere = { topic: record.topic, partition: -1, offset: undefined }
          tell(() => onDelivery?.(error as Error, record, nowhere))
          fail(error as Error)
          return callback()
        }
        if (hasSpace) callback()
        else target.ready().then(() => callback(), callback)
      }
      try {
        if (target.hasRoom(record)) accept()
        else target.whenRoom(record).then(accept, callback)
      } catch (error) {
        callback(error as Error)
      }
    },
    final(callback) {
      if (unended === 0) callback()
      else whenEnded = callback
    },
  })
  return stream
}
