import type { Logger } from 'kafkajs'
import { type Backoff, backoffMs } from '../../../delivery/backoff.js'
import { BrokerVerdictError, type ErrorContext, type Outcome } from '../../../errors/bases.js'
import { CoordinatorTimeoutError, UnsupportedApiError } from '../../../errors/index.js'
import { isTransportFailure } from '../../../metadata/retry/failure.js'
import type { Api } from '../../../protocol/api.js'
import { ERROR, type ErrorCode, errorCode } from '../../../protocol/errorCodes.js'
import { findCoordinatorApi } from '../../../protocol/messages/findCoordinator.js'
import type { BrokerAddress, ControlAnswer, Transport } from '../../../transport/port.js'
import { quoted } from '../../../util/printable.js'
import type { WaitRegistry } from '../../../waits/registry.js'
import type { Wait, WaitEnd } from '../../../waits/wait.js'
import { pause } from './pause.js'
import { type Judgement, judge } from './verdicts.js'

/** Markers are mostly written within some ms, and a short transaction waits for those of the one before. */
const SOON: Backoff = { minMs: 5, maxMs: 100, factor: 1.5 }
const TROUBLE: Backoff = { minMs: 50, maxMs: 1000, factor: 2 }

/** How long one broker is asked where a coordinator is before another is asked beside it. ms */
const ASKING_ALONE_MS = 500

/** FindCoordinator's types of keys. */
const KEY_TYPES = { group: 0, transaction: 1 } as const

export interface CoordinatorKey {
  readonly type: keyof typeof KEY_TYPES
  /** The group's id, or the transactional id. */
  readonly name: string
}

/** How long a request may be asked again. */
export interface Patience {
  readonly timeoutMs: number
  /** The option it stands for. */
  readonly bound: string
  readonly signal: AbortSignal
  /** Called before each wait. */
  readonly onRetry?: ((error: Error) => void) | undefined
}

export interface Question<ReqIn, Response> {
  readonly api: Api<unknown, ReqIn, Response, never>
  readonly coordinator: CoordinatorKey
  /** Made anew for each attempt. */
  body(version: number): ReqIn
  /** The error code that decides what becomes of the request. */
  codeOf(response: Response): number
  /** What that code means. Default {@link judge}. */
  judge?(code: number): Judgement
  /**
   * The error for an answer that asking again cannot mend.
   *
   * @param request what was answered so: the question, or FindCoordinator before it
   */
  refusal(request: string, verdict: ErrorCode, context: ErrorContext): Error
  readonly patience: Patience
}

export interface CoordinatorsParts {
  readonly transport: Pick<Transport, 'control'>
  readonly logger: Logger
  /** Of a first attempt; twice as long after each that was not answered, up to `requestTimeoutMs`. */
  readonly firstTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly random: () => number
  readonly waits: WaitRegistry
}

/** The attempts of one question so far. */
interface Course {
  readonly startedAt: number
  attempts: number
  unanswered: number
  /** From the first attempt that was in vain. */
  wait: Wait | undefined
  /** A request may have been applied although it was not answered. */
  outcome: Outcome
}

/** Asks the coordinators of transactions and groups, which move: found by FindCoordinator, anew where they have moved. */
export class Coordinators {
  private readonly parts: CoordinatorsParts
  private readonly known = new Map<string, BrokerAddress>()
  private turn: Promise<unknown> = Promise.resolve()
  /** Some request was not answered: a broker may still come to it, whatever was answered since. */
  hasUnanswered = false
  /** Of the questions that were asked in vain so far. */
  private readonly waits = new Set<Wait>()

  constructor(parts: CoordinatorsParts) {
    this.parts = parts
  }

  /** What the oldest question that was asked in vain met last; undefined: there is none. */
  get problem(): Error | undefined {
    const [oldest] = this.waits
    return oldest?.error
  }

  /**
   * Asks until there is a final answer.
   *
   * @throws what `refusal` makes; {@link CoordinatorTimeoutError} when the patience is at its end; its signal's reason
   */
  async ask<ReqIn, Response>(question: Question<ReqIn, Response>): Promise<ControlAnswer<Response>> {
    const course: Course = {
      startedAt: performance.now(),
      attempts: 0,
      unanswered: 0,
      wait: undefined,
      outcome: 'not-written',
    }
    let how: WaitEnd = 'given-up'
    try {
      const answer = await this.askUntilAnswered(question, course)
      how = 'over'
      return answer
    } finally {
      if (course.wait !== undefined) {
        this.waits.delete(course.wait)
        this.parts.waits.end(course.wait, how)
      }
    }
  }

  private async askUntilAnswered<ReqIn, Response>(
    question: Question<ReqIn, Response>,
    course: Course,
  ): Promise<ControlAnswer<Response>> {
    const { api, coordinator, patience } = question
    for (;;) {
      patience.signal.throwIfAborted()
      course.attempts++
      const { answer, judgement, cause } = await this.attempt(question, course)
      if (answer !== undefined) return answer
      if (judgement === 'elsewhere') this.known.delete(keyOf(coordinator))
      const delayMs = backoffMs(judgement === 'soon' ? SOON : TROUBLE, course.attempts, this.parts.random())
      const elapsedMs = performance.now() - course.startedAt
      if (elapsedMs + delayMs > patience.timeoutMs) {
        throw new CoordinatorTimeoutError(coordinator.name, {
          request: api.name,
          attempts: course.attempts,
          elapsedMs,
          outcome: course.outcome,
          bound: patience.bound,
          cause,
        })
      }
      patience.onRetry?.(cause)
      this.tell(question, course, delayMs, cause)
      await pause(delayMs, patience.signal)
    }
  }

  private tell<ReqIn, Response>(
    { api, coordinator }: Question<ReqIn, Response>,
    course: Course,
    delayMs: number,
    cause: Error,
  ): void {
    const what = { request: api.name, key: coordinator.name, attempt: course.attempts, error: cause.message }
    this.parts.logger.debug('A coordinator is asked again', { ...what, delayMs: Math.round(delayMs) })
    const { waits } = this.parts
    if (course.wait === undefined) {
      const subject = { coordinator: `${coordinator.type} ${quoted(coordinator.name)}` }
      course.wait = waits.begin('coordinator', subject, { error: cause })
      this.waits.add(course.wait)
    } else waits.change(course.wait, 'coordinator', cause)
  }

  private async attempt<ReqIn, Response>(
    question: Question<ReqIn, Response>,
    course: Course,
  ): Promise<{ answer?: ControlAnswer<Response>; judgement: Judgement; cause: Error }> {
    const { api, coordinator, codeOf, refusal } = question
    let code: number
    let isSent = false
    let answer: ControlAnswer<Response> | undefined
    try {
      const found = await this.find(coordinator, course)
      if (typeof found === 'number') {
        code = found
      } else {
        isSent = true
        const ask = () =>
          this.parts.transport.control(api, question.body, {
            target: { at: found },
            timeoutMs: this.timeoutMs(course),
          })
        answer = await (coordinator.type === 'transaction' ? this.inTurn(ask) : ask())
        code = codeOf(answer.response)
      }
    } catch (error) {
      if (error instanceof UnsupportedApiError) {
        const verdict = { ...errorCode(ERROR.UNSUPPORTED_VERSION), message: error.problem }
        throw refusal(api.name, verdict, { attempts: course.attempts, outcome: course.outcome, cause: error })
      }
      if (!isTransportFailure(error)) throw error
      course.unanswered++
      if (isSent) {
        course.outcome = 'unknown'
        this.hasUnanswered = true
      }
      return { judgement: 'elsewhere', cause: error }
    }
    const judgement = question.judge?.(code) ?? judge(code)
    const verdict = errorCode(code)
    const asked = answer === undefined ? findCoordinatorApi.name : api.name
    if (judgement === 'final')
      throw refusal(asked, verdict, { attempts: course.attempts, outcome: course.outcome })
    const cause = new BrokerVerdictError(
      `${asked} was answered with ${verdict.type}: ${verdict.message}`,
      verdict,
    )
    return judgement === 'done' && answer !== undefined ? { answer, judgement, cause } : { judgement, cause }
  }

  /** Two requests at once would only get in each other's way: the coordinator answers the second with CONCURRENT_TRANSACTIONS. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work)
    this.turn = result.catch(() => {})
    return result
  }

  private timeoutMs({ unanswered }: Course): number {
    const { firstTimeoutMs, requestTimeoutMs } = this.parts
    return Math.max(firstTimeoutMs, Math.min(requestTimeoutMs, firstTimeoutMs * 2 ** unanswered))
  }

  /** Where the coordinator is, or why that is not known: an error code. */
  private async find(key: CoordinatorKey, course: Course): Promise<BrokerAddress | number> {
    const known = this.known.get(keyOf(key))
    if (known !== undefined) return known
    const { response, version } = await this.parts.transport.control(
      findCoordinatorApi,
      asked =>
        asked < 4
          ? { key: key.name, keyType: KEY_TYPES[key.type] }
          : { keyType: KEY_TYPES[key.type], coordinatorKeys: [key.name] },
      { target: { anyBut: undefined }, timeoutMs: this.timeoutMs(course), besideMs: ASKING_ALONE_MS },
    )
    const found = version < 4 ? response : response.coordinators[0]
    if (found === undefined) return errorCode(-1).code
    if (found.errorCode !== 0) return found.errorCode
    const { nodeId, host, port } = found
    const address = { nodeId, host, port, rack: null }
    this.known.set(keyOf(key), address)
    return address
  }
}

const keyOf = ({ type, name }: CoordinatorKey): string => `${type} ${name}`
