import { type Counter, type MeterProvider, metrics } from '@opentelemetry/api'
import { isError } from '../util/realms.js'

const NAME = 'messaging.client.sent.messages'
const OPTIONS = {
  description: 'Number of messages producer attempted to send to the broker.',
  unit: '{message}',
}

/**
 * The metric of the semantic conventions for messaging (1.30), as `@opentelemetry/instrumentation-kafkajs` keeps it for kafkajs's own
 * producers: a message counts once it has ended, delivered or not.
 */
export class SentMessages {
  readonly #scope: string
  readonly #given: MeterProvider | undefined
  #provider: MeterProvider | undefined
  #counter: Counter | undefined

  /** @param given default: the global one, which may be set after the producer was made */
  constructor(scope: string, given: MeterProvider | undefined) {
    this.#scope = scope
    this.#given = given
  }

  /** @param pinned the partition that the message asked for */
  add(topic: string, pinned: number | undefined, error: unknown): void {
    this.#counterNow().add(1, {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.operation.name': 'send',
      ...(pinned == null ? {} : { 'messaging.destination.partition.id': String(pinned) }),
      ...(error == null ? {} : { 'error.type': isError(error) ? error.name : '_OTHER' }),
    })
  }

  #counterNow(): Counter {
    const provider = this.#given ?? metrics.getMeterProvider()
    if (this.#counter === undefined || provider !== this.#provider) {
      this.#provider = provider
      this.#counter = provider.getMeter(this.#scope).createCounter(NAME, OPTIONS)
    }
    return this.#counter
  }
}
