import { diag } from '@opentelemetry/api'
import type { Producer } from 'kafkajs'
import { ProducerClosedError } from '../../errors/index.js'
import { insideOf } from '../../producer/inside.js'
import { noteTraced } from '../../producer/instrumentation.js'
import type { ResilientProducer } from '../../producer/types.js'
import { Tracing, type TracingOptions } from '../tracing.js'
import { tracedSend, tracedSendBatch } from './calls.js'
import { tracedEnqueue } from './enqueueing.js'
import { endTransaction, type OpenTransactions, tracedTransactions } from './transactions.js'
import { tracedWritable } from './writable.js'

type DisconnectOptions = Parameters<ResilientProducer['disconnect']>[0]

/** So that a producer that went through here twice has one span a message. */
const tracedProducers = new WeakSet<object>()

/**
 * The producer with OpenTelemetry: a PRODUCER span for each message of `send`, `sendBatch`, `enqueue`, `writable` and
 * transactions, under the context that is active at the call. Its context travels in the message's headers, of a copy: the caller's
 * messages are not changed. The span ends with the message's own outcome. Names and attributes are those of
 * `@opentelemetry/instrumentation-kafkajs`, whose consumer's spans continue these.
 *
 * A method that an instrumentation has wrapped already (shimmer's mark) is left to it. kafkajs's own producers work as well.
 *
 * @returns a new object; the given producer stays untraced
 * @throws {@link InvalidOptionsError} when `semconvStabilityOptIn` is not a string
 * @example
 * const producer = traced(createResilientProducer({ brokers: ['localhost:9092'] }))
 */
export function traced<P extends Producer>(producer: P, options: TracingOptions = {}): P {
  if (tracedProducers.has(producer)) return producer
  const tracing = new Tracing(options, insideOf(producer))
  const open: OpenTransactions = new Set()
  const { send, sendBatch, transaction } = producer
  const disconnect: (options?: DisconnectOptions) => Promise<void> = producer.disconnect
  const result: P = {
    ...producer,
    send: unlessWrapped(send, () => tracedSend(tracing, send)),
    sendBatch: unlessWrapped(sendBatch, () => tracedSendBatch(tracing, sendBatch)),
    transaction: unlessWrapped(transaction, () => tracedTransactions(tracing, transaction, open)),
    async disconnect(options?: DisconnectOptions) {
      try {
        await disconnect(options)
      } finally {
        for (const transaction of open) endTransaction(open, transaction, new ProducerClosedError())
      }
    },
    ...(isResilient(producer)
      ? {
          enqueue: tracedEnqueue(tracing, producer.enqueue),
          writable: tracedWritable(tracing, producer.writable),
        }
      : {}),
  }
  tracedProducers.add(result)
  noteTraced(producer)
  return result
}

const isResilient = (producer: Producer): producer is Producer & ResilientProducer =>
  'enqueue' in producer && 'writable' in producer

function unlessWrapped<F extends (...args: never[]) => unknown>(method: F, wrap: () => F): F {
  if (!('__wrapped' in method)) return wrap()
  diag.warn(`producer.${method.name || 'method'} is instrumented already: traced() leaves it as it is`)
  return method
}
