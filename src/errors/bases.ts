import kafkajs from 'kafkajs'
import type { ErrorCode } from '../protocol/errorCodes.js'
import { printable, quoted } from '../util/printable.js'
import { isError } from '../util/realms.js'

/** What an error of this package tells about the record that failed, as far as it applies. */
export interface ErrorContext {
  /** The record's topic. */
  readonly topic?: string | undefined
  /** The record's partition, where one was chosen. */
  readonly partition?: number | undefined
  /** How many attempts were made, including the first. */
  readonly attempts?: number | undefined
  /** Whether the record may have been written although it was not acknowledged. */
  readonly outcome?: Outcome | undefined
  /** The error behind this one. */
  readonly cause?: unknown
}

/** `not-written`: the record is not in the log. `unknown`: a request that may have been applied was never answered. */
export type Outcome = 'not-written' | 'unknown'

/** Node's `inspect` prints own properties: those that do not apply are left off. */
const assignContext = (error: Error, context: ErrorContext): void => {
  for (const [name, value] of Object.entries(context)) {
    if (value !== undefined)
      Object.defineProperty(error, name, {
        value,
        enumerable: name !== 'cause',
        configurable: true,
        writable: true,
      })
  }
}

/** A broker refused the request. `type` and `code` are Kafka's; `retriable` is false once the producer has given up on it. */
export class BrokerVerdictError extends kafkajs.KafkaJSProtocolError {
  /** The record's topic, where the error is about one. */
  declare readonly topic?: string
  /** The record's partition, where one was chosen. */
  declare readonly partition?: number
  /** How many attempts were made, including the first. */
  declare readonly attempts?: number
  /** Whether the record may have been written although it was not acknowledged. */
  declare readonly outcome?: Outcome

  constructor(message: string, { type, code }: Pick<ErrorCode, 'type' | 'code'>, context: ErrorContext = {}) {
    // Brokers' own words are a part of it.
    super(Object.assign(new Error(printable(message)), { type, code, retriable: false }))
    named(this)
    assignContext(this, context)
  }
}

/** A budget of time or attempts that ran out; `cause` is the last error. */
export class SpentBudgetError extends kafkajs.KafkaJSNumberOfRetriesExceeded {
  /** The record's topic, where the error is about one. */
  declare readonly topic?: string
  /** The record's partition, where one was chosen. */
  declare readonly partition?: number
  /** How many attempts were made, including the first. */
  declare readonly attempts?: number
  /** Whether the record may have been written although it was not acknowledged. */
  declare readonly outcome?: Outcome

  constructor(message: string, context: ErrorContext & { readonly elapsedMs?: number } = {}) {
    const { elapsedMs = 0, ...rest } = context
    super(new Error(message), {
      retryCount: Math.max(0, (rest.attempts ?? 1) - 1),
      retryTime: Math.round(elapsedMs),
    })
    named(this)
    // kafkajs builds the stack from its argument and keeps that as the cause: the real cause replaces it.
    Object.defineProperty(this, 'stack', {
      value: `${this.name}: ${message}${ownStack()}`,
      configurable: true,
      writable: true,
    })
    assignContext(this, { cause: undefined, ...rest })
    if (rest.cause === undefined)
      Object.defineProperty(this, 'cause', { value: undefined, configurable: true, writable: true })
  }
}

/** Everything else that a retry does not help against. */
export class NonRetriableError extends kafkajs.KafkaJSNonRetriableError {
  /** The record's topic, where the error is about one. */
  declare readonly topic?: string
  /** The record's partition, where one was chosen. */
  declare readonly partition?: number
  /** How many attempts were made, including the first. */
  declare readonly attempts?: number
  /** Whether the record may have been written although it was not acknowledged. */
  declare readonly outcome?: Outcome

  constructor(message: string, context: ErrorContext = {}) {
    super(message)
    named(this)
    assignContext(this, context)
  }
}

/** The same error for records whose outcome or attempts differ from those of the other records that it stands for. */
export const withOutcome = <E extends Error & { readonly outcome?: Outcome }>(
  error: E,
  outcome: Outcome,
  place: Pick<ErrorContext, 'topic' | 'partition' | 'attempts'> = {},
): E => {
  if (error.outcome === outcome && place.attempts === undefined) return error
  const copy = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error)) as E
  assignContext(copy, { ...place, outcome })
  return copy
}

/**
 * The classes' names are literal (`static name`): a bundle that is minified would call them `es` and `Tr` in logs and metrics.
 * An instance of a base itself, as for the validation errors that kafkajs has too, keeps kafkajs's name.
 */
const named = (error: Error): void => {
  if (BASES.has(error.constructor)) return
  Object.defineProperty(error, 'name', { value: error.constructor.name, configurable: true, writable: true })
}

const BASES: ReadonlySet<unknown> = new Set([BrokerVerdictError, SpentBudgetError, NonRetriableError])

const ownStack = (): string => {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, ownStack)
  const lines = holder.stack?.split('\n').slice(2) ?? []
  return lines.length > 0 ? `\n${lines.join('\n')}` : ''
}

/** "topic "x", partition 3", for the head of a message. A name from outside is quoted, so that it cannot forge a log line. */
export const place = (topic: string, partition?: number): string =>
  partition === undefined ? `topic ${quoted(topic)}` : `topic ${quoted(topic)}, partition ${partition}`

export const attemptsText = (attempts: number): string =>
  attempts === 1 ? '1 attempt' : `${attempts} attempts`

/** What the attempts met, as sentences for the middle of a message; nothing when they met nothing. */
export const causesText = (first: unknown, last: unknown): string => {
  if (last === undefined) return ''
  const [firstMessage, lastMessage] = [messageOf(first ?? last), messageOf(last)]
  if (firstMessage === lastMessage) return ` Cause: ${lastMessage}.`
  return ` First cause: ${firstMessage}; last cause: ${lastMessage}.`
}

/** A text of others in the middle of a message, without the full stop at its end. */
export const endless = (text: string): string => text.replace(/\.$/, '')

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (isError(error) ? error.message : String(error))
