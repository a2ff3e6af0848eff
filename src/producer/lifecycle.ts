import kafkajs, { type Kafka, type Logger } from 'kafkajs'
import { NonRetriableError } from '../errors/bases.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { DeliveryClasses } from './deliveryClasses.js'
import { type EventHub, PRODUCER_EVENTS } from './events.js'
import type { ProducerSettings } from './options.js'
import { Session } from './session.js'
import { waitFor } from './wait.js'

/** A SIGTERM's patience in most orchestrators is 30 s. ms */
const DISCONNECT_TIMEOUT_MS = 25000

/** A connected session with what its calls need. */
export interface Live {
  readonly session: Session
  readonly classes: DeliveryClasses
}

export interface LifecycleParts {
  readonly kafka: Kafka
  readonly settings: ProducerSettings
  readonly logger: Logger
  readonly observer: ProducerObserver
  readonly events: EventHub
  /** Buffer space came free. */
  readonly onSpace: (session: Session) => void
  /** No call will be taken any more. */
  readonly onClosed: () => void
}

type Status = 'disconnected' | 'connected' | 'disconnecting'

/** `connect` and `disconnect`: each under way once, shared by all who ask; a disconnected producer may connect again. */
export class Lifecycle {
  private readonly parts: LifecycleParts
  private status: Status = 'disconnected'
  private current: Live | undefined
  private opening: Session | undefined
  private connecting: Promise<void> | undefined
  private disconnecting: Promise<void> | undefined

  constructor(parts: LifecycleParts) {
    this.parts = parts
  }

  /** The connected session, if calls are taken now. */
  get live(): Live | undefined {
    return this.status === 'connected' ? this.current : undefined
  }

  /** @throws as kafkajs does when the producer is not connected */
  get connected(): Live {
    const { live } = this
    if (live !== undefined) return live
    if (this.status === 'disconnecting') {
      throw new NonRetriableError(
        "The producer is disconnecting; therefore, it can't safely accept messages anymore",
      )
    }
    throw new kafkajs.KafkaJSError('The producer is disconnected')
  }

  connect(): Promise<void> {
    if (this.status === 'connected' && this.disconnecting === undefined) return Promise.resolve()
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined
    })
    return this.connecting
  }

  private async open(): Promise<void> {
    await this.disconnecting
    const { kafka, settings, logger, observer, events, onSpace } = this.parts
    const emit = (name: string, payload: object): void => events.emit(name, payload)
    const session = new Session({ kafka, settings, logger, observer, emit })
    this.opening = session
    try {
      await session.open()
    } catch (error) {
      await session.close()
      throw error
    } finally {
      this.opening = undefined
    }
    session.engine.onSpace = () => onSpace(session)
    this.current = { session, classes: new DeliveryClasses(settings, session.isSequenced, logger) }
    this.status = 'connected'
    events.emit(PRODUCER_EVENTS.CONNECT, undefined)
  }

  disconnect(timeoutMs = DISCONNECT_TIMEOUT_MS): Promise<void> {
    this.disconnecting ??= this.shut(timeoutMs).finally(() => {
      this.disconnecting = undefined
    })
    return this.disconnecting
  }

  private async shut(timeoutMs: number): Promise<void> {
    // A connect under way is broken off and awaited: its session would otherwise come alive after this.
    // Only one that was under way by now: one that is asked for meanwhile waits for this to end.
    const { opening, connecting } = this
    await opening?.close()
    await connecting?.catch(() => {})
    const { current, parts } = this
    this.status = 'disconnecting'
    if (current !== undefined) {
      const { session } = current
      await waitFor(session.engine.flush(), { timeoutMs }, () => new Error('time is up')).catch(() => {})
      this.current = undefined
      // Before the records end: the space that comes free is nobody's any more.
      parts.onClosed()
      await session.close()
    }
    this.status = 'disconnected'
    parts.events.emit(PRODUCER_EVENTS.DISCONNECT, undefined)
  }
}
