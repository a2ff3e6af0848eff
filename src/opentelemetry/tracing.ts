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
import type { ProducerInside } from '../producer/inside.js'
import { asError, isBytes } from '../util/realms.js'
import { copyOf, writeContext } from './carrier.js'
import { MessageJourney, tellTransaction } from './journey.js'
import { type SemanticConventionOptions, SemanticConventions } from './semconv.js'
import { SentMessages } from './sentMessages.js'
import { WaitHistory } from './waitHistory.js'

/** The options of {@link traced}. */
export interface TracingOptions extends SemanticConventionOptions {
  /**
   * Whose tracer starts the spans.
   *
   * @defaultValue the global one, at the time a span is started
   * @example
   * import { trace } from '@opentelemetry/api'
   * traced(producer, { tracerProvider: trace.getTracerProvider() })
   */
  readonly tracerProvider?: TracerProvider | undefined
  /**
   * Whose meter counts sent messages (`messaging.client.sent.messages`).
   *
   * @defaultValue the global one, at the time a message ends
   * @example
   * import { metrics } from '@opentelemetry/api'
   * traced(producer, { meterProvider: metrics.getMeterProvider() })
   */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * Writes the trace's context into the headers of messages.
   *
   * @defaultValue the global one
   * @example
   * import { propagation } from '@opentelemetry/api'
   * traced(producer, { propagator: propagation })
   */
  readonly propagator?: Pick<TextMapPropagator, 'inject'> | undefined
  /**
   * Called with each message's span before the message is sent; `message` is the copy that is sent, with its headers. What it throws is
   * logged by the API's `diag`.
   *
   * @defaultValue none
   * @example { producerHook: (span, { message }) => span.setAttribute('app.bytes', String(message.value).length) }
   */
  readonly producerHook?:
    | ((span: Span, sent: { readonly topic: string; readonly message: Message }) => void)
    | undefined
  /**
   * Whether spans have the message's key (`messaging.kafka.message.key`), as the conventions recommend. Keys are often names or numbers
   * of customers: `false` keeps them out of whatever stores the spans.
   *
   * @defaultValue true
   * @example traced(producer, { recordKeys: false })
   */
  readonly recordKeys?: boolean | undefined
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
  /** To be told where the message is: of a message of this package's producers whose span is recorded. */
  readonly journey: MessageJourney | undefined
  /** Only the first end counts. */
  ended(error: unknown, delivered?: DeliveredTo): void
}

/** The span of a transaction, which ends with what it waited for. */
export interface TransactionSpan {
  readonly span: Span
  end(): void
}

/** Where a span belongs. */
export interface Placement {
  readonly parent: Context
  readonly links: Link[]
}

const placementNow = (): Placement => ({ parent: context.active(), links: [] })

/** The name of the tracer and of the meter. */
const SCOPE = 'kafkajs-resilient-producer'

/** Starts spans and ends them. Names and attributes are those of the semantic conventions for messaging and Kafka. */
export class Tracing {
  readonly #conventions: SemanticConventions
  readonly #recordKeys: boolean
  readonly #tracer: Tracer
  readonly #propagator: Pick<TextMapPropagator, 'inject'>
  readonly #producerHook: TracingOptions['producerHook']
  readonly #inside: ProducerInside | undefined
  readonly #waits: WaitHistory | undefined
  readonly #sentMessages: SentMessages

  /** @param inside of a producer of this package */
  constructor(
    {
      tracerProvider = trace,
      meterProvider,
      propagator = propagation,
      producerHook,
      recordKeys = true,
      semconvStabilityOptIn,
    }: TracingOptions,
    inside: ProducerInside | undefined,
  ) {
    this.#conventions = new SemanticConventions(semconvStabilityOptIn)
    this.#recordKeys = recordKeys
    this.#tracer = tracerProvider.getTracer(SCOPE)
    this.#sentMessages = new SentMessages(SCOPE, meterProvider, this.#conventions, inside !== undefined)
    this.#propagator = propagator
    this.#producerHook = producerHook
    this.#inside = inside
    this.#waits = inside && new WaitHistory(inside.waits)
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
      { kind: SpanKind.PRODUCER, attributes: this.#attributesOf(topic, sent), links },
      parent,
    )
    writeContext(sent, trace.setSpan(parent, span), this.#propagator)
    this.#callHook(span, topic, sent)
    // Where no span is recorded, nothing is noted of its message.
    const journey =
      this.#waits !== undefined && span.isRecording() ? new MessageJourney(this.#waits, topic) : undefined
    const sentMessages = this.#sentMessages
    const conventions = this.#conventions
    const { partition: pinned } = sent
    let hasEnded = false
    return {
      message: sent,
      journey,
      ended(error, { partition = journey?.partition, offset } = {}) {
        if (hasEnded) return
        hasEnded = true
        if (partition !== undefined && partition >= 0) {
          span.setAttribute('messaging.destination.partition.id', String(partition))
        }
        if (offset !== undefined && offset !== '-1') span.setAttributes(conventions.offset(offset))
        journey?.tell(span, error != null)
        if (error != null) recordError(span, error)
        span.end()
        sentMessages.add(topic, pinned, error)
      },
    }
  }

  startTransaction(parent: Context): TransactionSpan {
    const span = this.#tracer.startSpan('transaction', {}, parent)
    const waits = span.isRecording() ? this.#waits : undefined
    const startedAt = performance.now()
    return {
      span,
      end() {
        if (waits !== undefined) tellTransaction(span, waits, startedAt)
        span.end()
      },
    }
  }

  #attributesOf(topic: string, { key, value, partition }: Message): Attributes {
    const conventions = this.#conventions
    const hasKey = Boolean(key) && (typeof key === 'string' || isBytes(key))
    const clusterId = this.#inside?.clusterId()
    return {
      ...conventions.common,
      'messaging.destination.name': topic,
      'messaging.operation.type': 'send',
      ...(hasKey && this.#recordKeys && conventions.renamed('key', textOf(key!))),
      ...(hasKey && value === null && conventions.renamed('tombstone', true)),
      ...(typeof partition === 'number' && { 'messaging.destination.partition.id': String(partition) }),
      ...(clusterId !== undefined && conventions.renamed('clusterId', clusterId)),
    }
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

const textOf = (key: string | Uint8Array): string =>
  typeof key === 'string' ? key : Buffer.from(key).toString()
