import type { Logger, ProducerEvents } from 'kafkajs'
import { messageOf, NonRetriableError } from '../errors/bases.js'
import { isError } from '../util/realms.js'

/** kafkajs's names, of the producer's own events and of its network's. */
export const PRODUCER_EVENTS: ProducerEvents = {
  CONNECT: 'producer.connect',
  DISCONNECT: 'producer.disconnect',
  REQUEST: 'producer.network.request',
  REQUEST_TIMEOUT: 'producer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size',
}

export interface ProducerEvent {
  readonly id: number
  readonly type: string
  readonly timestamp: number
  readonly payload: unknown
}

type Listener = (event: ProducerEvent) => unknown

/** kafkajs numbers the events of a process. */
let nextId = 0

const NAMES: ReadonlySet<string> = new Set(Object.values(PRODUCER_EVENTS))
const NETWORK_PREFIX = 'network.'

const typeOf = (name: string): string => (name.startsWith(NETWORK_PREFIX) ? `producer.${name}` : name)

/** The producer's events, with kafkajs's shape and names. A listener that throws is logged, and disturbs nobody. */
export class EventHub {
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly logger: Logger

  constructor(logger: Logger) {
    this.logger = logger
  }

  /** @throws {NonRetriableError} on a name that is no event's */
  on(name: string, listener: Listener): () => void {
    if (!NAMES.has(name)) {
      const known = Object.keys(PRODUCER_EVENTS).map(key => `producer.events.${key}`)
      throw new NonRetriableError(`Event name should be one of ${known.join(', ')}`)
    }
    const listeners = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, listeners)
    // The same function may listen twice, as with an emitter.
    const own: Listener = event => listener(event)
    listeners.add(own)
    return () => listeners.delete(own)
  }

  /** @param name as kafkajs's connections say it (`network.request`), or the full name */
  hasListener(name: string): boolean {
    return (this.listeners.get(typeOf(name))?.size ?? 0) > 0
  }

  /** @param name as {@link hasListener} */
  emit(name: string, payload: unknown): void {
    const type = typeOf(name)
    const listeners = this.listeners.get(type)
    if (listeners === undefined || listeners.size === 0) return
    const event: ProducerEvent = { id: nextId++, type, timestamp: Date.now(), payload }
    for (const listener of [...listeners]) void this.call(listener, event)
  }

  private async call(listener: Listener, event: ProducerEvent): Promise<void> {
    try {
      await listener(event)
    } catch (error) {
      const { stack } = isError(error) ? error : {}
      this.logger.error(`Failed to execute listener: ${messageOf(error)}`, { eventName: event.type, stack })
    }
  }
}
