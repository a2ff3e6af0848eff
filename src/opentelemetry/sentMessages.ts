import { type Attributes, type Counter, type MeterProvider, metrics } from '@opentelemetry/api'
import { isError } from '../util/realms.js'
import type { SemanticConventions } from './semconv.js'

const NAME = 'messaging.client.sent.messages'
const OPTIONS = {
  description: 'Number of messages producer attempted to send to the broker.',
  unit: '{message}',
}

/** How many `measureProducers` report to a provider what this package's producers send. */
const measuring = new Map<MeterProvider, number>()

/** Until the returned function is called, what is traced does not count as sent a second time with this provider. */
export const beginMeasuring = (provider: MeterProvider): (() => void) => {
  measuring.set(provider, (measuring.get(provider) ?? 0) + 1)
  return () => {
    const others = (measuring.get(provider) ?? 1) - 1
    if (others > 0) measuring.set(provider, others)
    else measuring.delete(provider)
  }
}

/**
 * The metric of the semantic conventions for messaging, as `@opentelemetry/instrumentation-kafkajs` keeps it for kafkajs's own
 * producers: a message counts once it has ended, delivered or not.
 */
export class SentMessages {
  readonly #scope: string
  readonly #given: MeterProvider | undefined
  readonly #common: Attributes
  readonly #isResilient: boolean
  #provider: MeterProvider | undefined
  #counter: Counter | undefined

  /**
   * @param given default: the global one, which may be set after the producer was made
   * @param isResilient whether the producer is this package's, of which `measureProducers` knows
   */
  constructor(
    scope: string,
    given: MeterProvider | undefined,
    conventions: SemanticConventions,
    isResilient: boolean,
  ) {
    this.#isResilient = isResilient
    this.#scope = scope
    this.#given = given
    this.#common = {
      ...conventions.common,
      // The instrumentation leaves it out; the current conventions require it.
      ...(conventions.hasCurrent && { 'messaging.operation.type': 'send' }),
    }
  }

  /** @param pinned the partition that the message asked for */
  add(topic: string, pinned: number | undefined, error: unknown): void {
    const provider = this.#given ?? metrics.getMeterProvider()
    if (this.#isResilient && measuring.has(provider)) return
    this.#counterOf(provider).add(1, {
      ...this.#common,
      'messaging.destination.name': topic,
      ...(pinned == null ? {} : { 'messaging.destination.partition.id': String(pinned) }),
      ...(error == null ? {} : { 'error.type': isError(error) ? error.name : '_OTHER' }),
    })
  }

  #counterOf(provider: MeterProvider): Counter {
    if (this.#counter === undefined || provider !== this.#provider) {
      this.#provider = provider
      this.#counter = provider.getMeter(this.#scope).createCounter(NAME, OPTIONS)
    }
    return this.#counter
  }
}
