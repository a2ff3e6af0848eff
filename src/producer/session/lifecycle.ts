import kafkajs, { type Kafka, type Logger } from 'kafkajs'
import type { DeliveryEngine } from '../../delivery/engine.js'
import { NonRetriableError } from '../../errors/bases.js'
import { ProducerClosedError } from '../../errors/index.js'
import { healthOf, type ProducerHealth } from '../../health/health.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { WaitRegistry } from '../../waits/registry.js'
import { DeliveryClasses } from '../checks/deliveryClasses.js'
import type { TopicNames } from '../checks/validate.js'
import { type EventHub, PRODUCER_EVENTS } from '../events.js'
import type { ProducerSettings } from '../options/options.js'
import type { WaitOptions } from '../types.js'
import type { UnownedFailures } from '../unowned.js'
import { Opening } from './opening.js'
import type { Session } from './session.js'
import { checkTimeout, waitFor } from './wait.js'

/** A SIGTERM's patience in most orchestrators is 30 s. ms */
const DISCONNECT_TIMEOUT_MS = 25000

const TIME_IS_UP = new Error('time is up')

/** A connected session with what its calls need. */
export interface Live {
  readonly session: Session
  /** The session's, for records outside of transactions. */
  readonly engine: DeliveryEngine
  readonly classes: DeliveryClasses
}

export interface LifecycleParts {
  readonly kafka: Kafka
  readonly settings: ProducerSettings
  readonly logger: Logger
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
  readonly unowned: UnownedFailures
  readonly events: EventHub
  readonly topicNames: TopicNames
  /** Buffer space came free. */
  readonly onSpace: () => void
  /** No call will be taken any more. */
  readonly onClosed: () => void
}

type Status = 'disconnected' | 'connected' | 'disconnecting'

/** `connect` and `disconnect`: each under way once, shared by all who ask; a disconnected producer may connect again. */
export class Lifecycle {
  private readonly parts: LifecycleParts
  private status: Status = 'disconnected'
  private current: Live | undefined
  private opening: Opening | undefined
  private disconnecting: Promise<void> | undefined
  /** Ends the patience of the disconnect that is under way. */
  private closing = new AbortController()

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

  get health(): ProducerHealth {
    const { status, opening, current, parts } = this
    const shown = status === 'disconnected' && opening !== undefined ? 'connecting' : status
    return healthOf(shown, parts.waits, (current?.session ?? opening?.session)?.healthSource)
  }

  async connect(options: WaitOptions): Promise<void> {
    checkTimeout(options.timeoutMs)
    options.signal?.throwIfAborted()
    if (this.status === 'connected') return
    this.opening ??= this.startOpening()
    await this.opening.wait(options)
  }

  private startOpening(): Opening {
    const { kafka, settings, logger, observer, waits, unowned, events, topicNames } = this.parts
    const network = {
      wants: (name: string) => events.hasListener(name),
      emit: (name: string, payload: object) => events.emit(name, payload),
    }
    const opening: Opening = new Opening(
      { kafka, settings, logger, observer, waits, unowned, topicNames, network },
      this.disconnecting,
      session => this.opened(session),
      () => {
        if (this.opening === opening) this.opening = undefined
      },
    )
    return opening
  }

  private opened(session: Session): void {
    const { settings, logger, events, onSpace } = this.parts
    session.onSpace = onSpace
    const classes = new DeliveryClasses(settings, session.isSequenced ? 'sequenced' : 'plain', logger)
    this.current = { session, engine: session.engine, classes }
    this.opening = undefined
    this.status = 'connected'
    events.emit(PRODUCER_EVENTS.CONNECT, undefined)
  }

  async disconnect(timeoutMs = DISCONNECT_TIMEOUT_MS): Promise<void> {
    checkTimeout(timeoutMs)
    // A connect under way would come alive after this, also one that waits for an earlier disconnect.
    const brokenOff = this.opening?.breakOff(new ProducerClosedError())
    const { disconnecting } = this
    if (disconnecting === undefined) {
      this.closing = new AbortController()
      this.disconnecting = this.shut(timeoutMs, brokenOff).finally(() => {
        this.disconnecting = undefined
      })
      return this.disconnecting
    }
    // The shortest patience of all who disconnect counts.
    const { closing } = this
    await waitFor(disconnecting, { timeoutMs }, () => TIME_IS_UP).catch(error => {
      if (error !== TIME_IS_UP) throw error
      closing.abort(TIME_IS_UP)
    })
    await disconnecting
  }

  private async shut(timeoutMs: number, brokenOff: Promise<void> | undefined): Promise<void> {
    this.status = 'disconnecting'
    await brokenOff
    const { current, parts } = this
    if (current !== undefined) {
      const { session } = current
      const patience = { timeoutMs, signal: this.closing.signal }
      await waitFor(session.settle(), patience, () => TIME_IS_UP).catch(() => {})
      this.current = undefined
      // Before the session: what it ends by closing frees space, which must not be taken for room.
      parts.onClosed()
      await session.close()
    }
    this.status = 'disconnected'
    parts.unowned.flush()
    parts.events.emit(PRODUCER_EVENTS.DISCONNECT, undefined)
  }
}
