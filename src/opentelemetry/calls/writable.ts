import type { Writable } from 'node:stream'
import { watching } from '../../producer/calls/watchedCalls.js'
import type { ResilientProducer, TopicMessage, WritableOptions } from '../../producer/types.js'
import type { Tracing } from '../tracing.js'
import { isTraceable } from './traceable.js'

type Callback = (error?: Error | null) => void

interface Written {
  readonly record: TopicMessage
  ended(error: unknown, delivered?: { readonly partition: number; readonly offset: string | undefined }): void
}

/**
 * A record's span begins as it is written: a stream that is behind takes it up later, in a context that is not its caller's.
 */
export const tracedWritable =
  (tracing: Tracing, writable: ResilientProducer['writable']): ResilientProducer['writable'] =>
  (options: WritableOptions = {}) => {
    const { onError, onDelivery } = options
    /** By the copy that is on its way. */
    const written = new WeakMap<TopicMessage, Written>()
    const callers = (record: TopicMessage): TopicMessage => written.get(record)?.record ?? record
    const stream = writable({
      ...options,
      onError: onError && ((error, record) => onError(error, callers(record))),
      onDelivery(error, record, delivered) {
        written.get(record)?.ended(error, delivered)
        onDelivery?.(error, callers(record), delivered)
      },
    })
    const write = stream.write.bind(stream) as (record: TopicMessage, callback: Callback) => boolean
    replaceWriting(stream, (record, callback) => {
      if (!isTraceable(record?.topic, record)) return write(record, callback)
      const { message, journey, ended } = tracing.startMessage(record.topic, record)
      if (journey !== undefined) watching(message, journey)
      written.set(message, { record, ended })
      // A stream that is destroyed calls back with the error for what it had not taken up.
      return write(message, error => {
        if (error) ended(error)
        callback(error)
      })
    })
    return stream
  }

/** Has `write` and `end` of this one stream, in all their forms, go through the function. */
function replaceWriting(
  stream: Writable,
  write: (record: TopicMessage, callback: Callback) => boolean,
): void {
  const callbackIn = (rest: readonly unknown[]): Callback | undefined =>
    rest.find((each): each is Callback => typeof each === 'function')
  const end = stream.end.bind(stream)
  stream.write = (record: unknown, ...rest: unknown[]) =>
    write(record as TopicMessage, callbackIn(rest) ?? (() => {}))
  stream.end = (...args: unknown[]) => {
    const [record] = args
    if (record != null && typeof record !== 'function') stream.write(record)
    return end(callbackIn(args))
  }
}
