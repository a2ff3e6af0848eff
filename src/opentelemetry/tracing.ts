import {
  type Attributes,
  type Context,
  context,
  diag,
  type Link,
  type MeterProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type { Message } from 'kafkajs'
import { asError, isBytes } from '../util/realms.js'
import { copyOf, writeContext } from './carrier.js'
import { SentMessages } from './sentMessages.js'

export interface TracingOptions {
  /** Default: the global one, of the moment a span is started. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Counts sent messages (`messaging.client.sent.messages`). Default: the global one, of the moment a message has ended. */
  readonly meterProvider?: MeterProvider | undefined
  /** Writes the context into headers. Default: the global one. */
  readonly propagator?: Pick<TextMapPropagator, 'inject'> | undefined
  /**
   * Called with each message's span before the message is sent; `message` is the copy that will be, with its headers. What
   * it throws is logged by the API's `diag`. Default none.
   */
  readonly producerHook?:
    | ((span: Span, sent: { readonly topic: string; readonly message: Message }) => void)
    | undefined
}

/** Where a message came to stand, as far as its producer was told. */
export interface DeliveredTo {
  readonly partition?: number | undefined
  readonly offset?: string | undefined
}

/** A message on its way, and its span. */
export interface TracedMessage<M extends Message = Message> {
  /** To be sent in the place of the caller's. */
  readonly message: M
  /** Only the first end counts. */
  ended(error: unknown, delivered?: DeliveredTo): void
}

/** Where a span belongs. */
export interface Placement {
  readonly parent: Context
  readonly links: Link[]
}

const placementNow = (): Placement => ({ parent: context.active(), links: [] })

/** The name of the tracer and of the meter. */
const SCOPE = 'kafkajs-resilient-producer'

/** Starts spans and ends them. Names and attributes are those of the semantic conventions for messaging and Kafka (1.30). */
export class Tracing {
  readonly #tracer: Tracer
  readonly #propagator: Pick<TextMapPropagator, 'inject'>
  readonly #producerHook: TracingOptions['producerHook']
  readonly #clusterId: () => string | undefined
  readonly #sentMessages: SentMessages

  /** @param clusterId of the moment; undefined while it is not known */
  constructor(
    { tracerProvider = trace, meterProvider, propagator = propagation, producerHook }: TracingOptions,
    clusterId: () => string | undefined,
  ) {
    this.#tracer = tracerProvider.getTracer(SCOPE)
    this.#sentMessages = new SentMessages(SCOPE, meterProvider)
    this.#propagator = propagator
    this.#producerHook = producerHook
    this.#clusterId = clusterId
  }

  /** The span of one message under the context that is active now, or under `parent`. */
  startMessage<M extends Message>(
    topic: string,
    message: M,
    { parent, links }: Placement = placementNow(),
  ): TracedMessage<M> {
    const sent = copyOf(message)
    const span = this.#tracer.startSpan(
      `send ${topic}`,
      { kind: SpanKind.PRODUCER, attributes: attributesOf(topic, sent, this.#clusterId()), links },
      parent,
    )
    writeContext(sent, trace.setSpan(parent, span), this.#propagator)
    this.#callHook(span, topic, sent)
    const sentMessages = this.#sentMessages
    const { partition: pinned } = sent
    let hasEnded = false
    return {
      message: sent,
      ended(error, { partition, offset } = {}) {
        if (hasEnded) return
        hasEnded = true
        if (partition !== undefined && partition >= 0) {
          span.setAttribute('messaging.destination.partition.id', String(partition))
        }
        // A string, as the instrumentation of kafkajs's consumer writes it.
        if (offset !== undefined && offset !== '-1') span.setAttribute('messaging.kafka.offset', offset)
        if (error != null) recordError(span, error)
        span.end()
        sentMessages.add(topic, pinned, error)
      },
    }
  }

  startTransaction(parent: Context): Span {
    return this.#tracer.startSpan('transaction', {}, parent)
  }

  #callHook(span: Span, topic: string, message: Message): void {
    try {
      this.#producerHook?.(span, { topic, message })
    } catch (error) {
      diag.error('producerHook threw', error)
    }
  }
}

export function recordError(span: Span, error: unknown): void {
  const thrown = asError(error)
  span.recordException(thrown)
  span.setAttribute('error.type', thrown.name)
  span.setStatus({ code: SpanStatusCode.ERROR, message: thrown.message })
}

function attributesOf(
  topic: string,
  { key, value, partition }: Message,
  clusterId: string | undefined,
): Attributes {
  const attributes: Attributes = {
    'messaging.system': 'kafka',
    'messaging.destination.name': topic,
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
  }
  if (key && (typeof key === 'string' || isBytes(key))) {
    attributes['messaging.kafka.message.key'] = typeof key === 'string' ? key : Buffer.from(key).toString()
    if (value === null) attributes['messaging.kafka.message.tombstone'] = true
  }
  if (typeof partition === 'number') attributes['messaging.destination.partition.id'] = String(partition)
  if (clusterId !== undefined) attributes['messaging.kafka.cluster.id'] = clusterId
  return attributes
}
