import { type Context, defaultTextMapSetter, type TextMapPropagator } from '@opentelemetry/api'
import type { IHeaders, Message } from 'kafkajs'

type Injector = Pick<TextMapPropagator, 'inject'>

/**
 * The message with the context in its headers, as a copy: the caller's message stays as it is. A message that brings an
 * older context along, as one that is forwarded does, gets this one in its place, whatever the case of its header names:
 * readers take the first that fits.
 */
export function withContext<M extends Message>(message: M, context: Context, propagator: Injector): M {
  const carrier: Record<string, string> = {}
  propagator.inject(context, carrier, defaultTextMapSetter)
  const { headers } = message
  // Headers that are none are for the producer to refuse.
  if (Object.keys(carrier).length === 0 || (headers != null && typeof headers !== 'object'))
    return { ...message }
  return { ...message, headers: { ...without(headers ?? {}, carrier), ...carrier } }
}

function without(headers: IHeaders, carrier: Readonly<Record<string, string>>): IHeaders {
  const replaced = new Set(Object.keys(carrier).map(name => name.toLowerCase()))
  // It belongs to the traceparent it came with (W3C Trace Context, 3.3).
  if (replaced.has('traceparent')) replaced.add('tracestate')
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase())))
}
