import type { TopicView } from '../metadata/cache/view.js'
import { answerError, type MissingAnswer } from '../metadata/requests/answer.js'
import type { Ask, AskOwner, Pace } from '../metadata/requests/refreshQueue.js'
import { failureType } from '../metadata/retry/failure.js'
import { errorCode } from '../protocol/errorCodes.js'
import { isError } from '../util/realms.js'
import type { Explanation, Wait } from '../waits/wait.js'
import { WaitersTogether } from '../waits/waitersTogether.js'
import type { TopicSettings } from './policy/policy.js'

/** Why a topic is not there yet: what a broker answered, or the error of the attempt. */
export type Problem = MissingAnswer | Error

/**
 * One topic that is waited for, and the question about it. The question's fields change between attempts only, when no
 * queue and no request carries it.
 */
export class TopicWait implements Ask, Explanation {
  readonly name: string
  readonly settings: TopicSettings
  readonly owner: AskOwner
  private readonly likelyCauseOf: (wait: TopicWait) => string | undefined
  readonly trigger = 'topic'
  readonly avoidNode = undefined
  readonly promise: Promise<TopicView>
  /** performance.now() */
  readonly startedAt = performance.now()
  resolve!: (view: TopicView) => void
  reject!: (error: unknown) => void
  attempt = 1
  pace: Pace = 'first'
  /** An answer said that the topic is not there yet. */
  missed = false
  readonly waiters = new WaitersTogether()
  /** Its entry among all ongoing waits. */
  ongoing: Wait | undefined
  hasEnded = false
  /** Why the last attempt failed. */
  problem: Problem | undefined
  /** When the question was put last. In time of the running clock. ms */
  private askedAt = 0
  /** From when on the budget counts: the first request that named the topic. In time of the running clock. ms */
  private budgetFrom: number | undefined

  /** @param likelyCauseOf what it most likely waits in vain for */
  constructor(
    name: string,
    settings: TopicSettings,
    owner: AskOwner,
    likelyCauseOf: (wait: TopicWait) => string | undefined,
  ) {
    this.name = name
    this.settings = settings
    this.owner = owner
    this.likelyCauseOf = likelyCauseOf
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // A released wait has no listener left; its end is no unhandled rejection.
    this.promise.catch(() => {})
  }

  get error(): Error | undefined {
    return this.problem && problemError(this.name, this.problem)
  }

  get likelyCause(): string | undefined {
    return this.likelyCauseOf(this)
  }

  noteAsked(now: number): void {
    this.askedAt = now
  }

  /**
   * A request with the question has ended. The time for which the question had to wait for others, because a request
   * names only so many topics, is not a part of the budget.
   */
  noteSent(sentAt: number, longestPaceMs: number): void {
    const heldMs = Math.max(0, sentAt - this.askedAt - longestPaceMs)
    this.budgetFrom = this.budgetFrom === undefined ? sentAt : this.budgetFrom + heldMs
    this.askedAt = sentAt
  }

  /** How much of the budget is spent. ms */
  elapsedMs(now: number): number {
    return now - (this.budgetFrom ?? now)
  }
}

export const problemError = (topic: string, problem: Problem): Error =>
  isError(problem) ? problem : answerError(topic, problem)

/** A closed set, for metrics and log lines. */
export const problemType = (problem: Problem): string =>
  isError(problem) ? failureType(problem) : errorCode(problem.errorCode).type
