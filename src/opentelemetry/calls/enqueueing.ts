import { context } from '@opentelemetry/api'
import { lookingOn } from '../../producer/calls/enqueueing.js'
import { watching } from '../../producer/calls/watchedCalls.js'
import type { ResilientProducer } from '../../producer/types.js'
import type { Tracing } from '../tracing.js'
import { isTraceable } from './traceable.js'

type Enqueue = ResilientProducer['enqueue']

export const tracedEnqueue =
  (tracing: Tracing, enqueue: Enqueue): Enqueue =>
  (topic, message, onDelivery) => {
    const isCallback = onDelivery === undefined || typeof onDelivery === 'function'
    if (!isCallback || !isTraceable(topic, message)) return enqueue(topic, message, onDelivery)
    const { message: sent, journey, ended } = tracing.startMessage(topic, message)
    if (journey !== undefined) watching(sent, journey)
    try {
      if (onDelivery === undefined) return enqueue(topic, sent, lookingOn(ended))
      // Called from a socket's event, it would be in the context of whoever wrote to that first.
      const inCallersContext = context.bind(context.active(), onDelivery)
      return enqueue(topic, sent, (error, delivered) => {
        ended(error, delivered)
        inCallersContext(error, delivered)
      })
    } catch (error) {
      ended(error)
      throw error
    }
  }
