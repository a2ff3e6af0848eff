import { type Context, defaultTextMapSetter, type TextMapPropagator } from '@opentelemetry/api'
import type { IHeaders, Message } from 'kafkajs'

type Injector = Pick<TextMapPropagator, 'inject'>

const FIELDS = ['key', 'value', 'partition', 'headers', 'timestamp'] as const

/**
 * A copy of the caller's message, which stays as it is. Each field is read once, an accessor of a class too; fields that are none of
 * kafkajs's are copied where they are the object's own.
 */
export function copyOf<M extends Message>(message: M): M {
  const inherited = FIELDS.filter(name => name in message && !Object.hasOwn(message, name))
  return { ...message, ...Object.fromEntries(inherited.map(name => [name, message[name]])) }
}

/**
 * Writes the context into the message's headers. A message that brings an older context along, as one that is forwarded does, gets
 * this one in its place, whatever the case of its header names: readers take the first that fits.
 *
 * @param message a copy of the caller's
 */
export function writeContext(message: Message, context: Context, propagator: Injector): void {
  const carrier: Record<string, string> = {}
  propagator.inject(context, carrier, defaultTextMapSetter)
  const { headers } = message
  // Headers that are none are for the producer to refuse.
  if (Object.keys(carrier).length === 0 || (headers != null && typeof headers !== 'object')) return
  message.headers = { ...without(headers ?? {}, carrier), ...carrier }
}

function without(headers: IHeaders, carrier: Readonly<Record<string, string>>): IHeaders {
  const replaced = new Set(Object.keys(carrier).map(name => name.toLowerCase()))
  // It belongs to the traceparent it came with (W3C Trace Context, 3.3).
  if (replaced.has('traceparent')) replaced.add('tracestate')
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase())))
}
