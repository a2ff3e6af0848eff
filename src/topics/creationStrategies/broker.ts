import { TopicCreationDisabledError, TopicCreationError } from '../../errors/index.js'
import type { MissingAnswer } from '../../metadata/requests/answer.js'
import type { ScheduleEnd } from '../../metadata/retry/schedule.js'
import { ERROR } from '../../protocol/errorCodes.js'
import type { AutoCreationEvidence } from '../creation/autoCreation.js'
import type { AutoCreateProbe } from '../creation/probe.js'
import type { CreationExplainer } from '../explain.js'
import type { TopicWait } from '../topicWait.js'
import { type CreationStrategy, refusalError, type UnknownTopics, type WaitControl } from './strategy.js'

export interface CreateByBrokerOptions {
  readonly probe: Pick<AutoCreateProbe, 'check'>
  readonly explainer: Pick<CreationExplainer, 'explain'>
  readonly evidence: AutoCreationEvidence
}

/** A topic that is only slow needs no explanation, and asking for one costs the controller that creates it. */
const EXPLAIN_AFTER_ATTEMPTS = 3
const EXPLAIN_AFTER_MS = 500
/** The controller that does not know the topic after this long, asked again, will not create it. ms */
const CONFIRM_AFTER_MS = 1_000

/** What the strategy knows of one wait. */
interface Inquiry {
  unknowns: number
  /** Whether a broker that was asked creates topics; `untold` once one did not tell. */
  creates: 'unasked' | 'untold' | 'yes'
  isExplaining: boolean
  /** When the controller said that it does not know the topic. performance.now() */
  absentSince: number | undefined
  explained: boolean
}

/** The broker creates the topic because the request that names it allows it to. */
export class CreateByBroker implements CreationStrategy {
  readonly asksBroker = true
  readonly #control: WaitControl
  readonly #options: CreateByBrokerOptions
  readonly #inquiries = new WeakMap<TopicWait, Inquiry>()

  constructor(control: WaitControl, options: CreateByBrokerOptions) {
    this.#control = control
    this.#options = options
  }

  unknown({ waits, answers, nodeId, create }: UnknownTopics): void {
    // Asked without the flag, beside a broker that may be creating them: it says nothing about auto-creation.
    if (!create) return this.#control.retry(waits, wait => answers.get(wait)!)
    const unsure: TopicWait[] = []
    const sure: TopicWait[] = []
    for (const wait of waits) {
      const inquiry = this.#inquiryOf(wait)
      inquiry.unknowns++
      ;(inquiry.creates === 'yes' ? sure : unsure).push(wait)
    }
    this.#goOn(sure, answers)
    // A seed broker without a known id cannot be asked: it takes its own id only.
    if (nodeId < 0) this.#goOn(unsure, answers)
    else if (unsure.length > 0) void this.#ask(unsure, answers, nodeId)
  }

  refused(wait: TopicWait, code: number): void {
    const fail = (reason: string | null): void =>
      this.#control.fail(wait, refusalError(wait.name, code, wait.attempt, reason))
    if (code !== ERROR.INVALID_TOPIC_EXCEPTION) return fail(null)
    this.#explanationOf(wait).then(
      explanation => fail(explanation.kind === 'refused' ? explanation.reason : null),
      error => this.#control.fail(wait, error),
    )
  }

  appeared(): void {
    this.#options.evidence.noteCreated()
  }

  likelyCause(wait: TopicWait): string | undefined {
    if (this.#inquiries.get(wait)?.creates !== 'untold' || this.#options.evidence.works) return undefined
    return (
      'The brokers do not tell their setting auto.create.topics.enable; it may be false: ' +
      "create the topic beforehand, or use topics: { create: 'admin' }."
    )
  }

  exhausted(wait: TopicWait, { cause }: ScheduleEnd): undefined {
    const isUnknown = (cause as { readonly code?: unknown }).code === ERROR.UNKNOWN_TOPIC_OR_PARTITION
    if (isUnknown && this.#inquiries.get(wait)?.creates === 'untold') this.#options.evidence.noteNotCreated()
  }

  #inquiryOf(wait: TopicWait): Inquiry {
    const known = this.#inquiries.get(wait)
    if (known) return known
    const inquiry: Inquiry = {
      unknowns: 0,
      creates: 'unasked',
      isExplaining: false,
      absentSince: undefined,
      explained: false,
    }
    this.#inquiries.set(wait, inquiry)
    return inquiry
  }

  /** Asks the broker whether it creates topics, in the attempt itself where that is quick. */
  async #ask(
    waits: readonly TopicWait[],
    answers: ReadonlyMap<TopicWait, MissingAnswer>,
    nodeId: number,
  ): Promise<void> {
    const { enabled, soon } = this.#options.probe.check(nodeId)
    enabled.then(
      each => {
        for (const wait of waits) this.#judge(wait, each, nodeId)
      },
      error => {
        for (const wait of waits) this.#control.fail(wait, error)
      },
    )
    await soon
    this.#goOn(waits, answers)
  }

  #judge(wait: TopicWait, enabled: boolean | undefined, nodeId: number): void {
    const inquiry = this.#inquiryOf(wait)
    if (enabled) inquiry.creates = 'yes'
    else if (inquiry.creates !== 'unasked') return
    else if (enabled === undefined) inquiry.creates = 'untold'
    // Another broker that may have begun to create it settles nothing: this one may only lag behind.
    else
      this.#control.fail(wait, new TopicCreationDisabledError(wait.name, nodeId, { attempts: wait.attempt }))
  }

  #goOn(waits: readonly TopicWait[], answers: ReadonlyMap<TopicWait, MissingAnswer>): void {
    for (const wait of waits) if (!wait.hasEnded) this.#inquire(wait, this.#inquiryOf(wait))
    this.#control.retry(waits, wait => answers.get(wait)!)
  }

  /** Asks the controller why a topic that should be there is not. */
  #inquire(wait: TopicWait, inquiry: Inquiry): void {
    const { evidence } = this.#options
    if (inquiry.isExplaining || inquiry.explained || inquiry.creates === 'unasked') return
    const isUntold = inquiry.creates === 'untold' && !evidence.works
    const now = performance.now()
    if (inquiry.absentSince !== undefined) {
      if (!isUntold || now - inquiry.absentSince < CONFIRM_AFTER_MS) return
    } else if (isEarly(wait, inquiry) && !(isUntold && evidence.isSuspected)) return
    inquiry.isExplaining = true
    this.#explain(wait, inquiry)
      .catch(error => this.#control.fail(wait, error))
      .finally(() => {
        inquiry.isExplaining = false
      })
  }

  async #explain(wait: TopicWait, inquiry: Inquiry): Promise<void> {
    const { evidence } = this.#options
    const explanation = await this.#explanationOf(wait)
    const { attempt: attempts } = wait
    if (explanation.kind === 'refused') {
      const { verdict, reason } = explanation
      return this.#control.fail(wait, new TopicCreationError(wait.name, verdict, reason, { attempts }))
    }
    if (inquiry.creates === 'yes' || evidence.works || explanation.kind === 'exists') {
      inquiry.explained = true
      return
    }
    const isConfirmed =
      explanation.kind === 'absent'
        ? inquiry.absentSince !== undefined || evidence.isSuspected
        : evidence.isSuspected && !isEarly(wait, inquiry)
    if (isConfirmed) {
      evidence.noteNotCreated()
      return this.#control.fail(wait, new TopicCreationDisabledError(wait.name, 'untold', { attempts }))
    }
    if (explanation.kind === 'absent') inquiry.absentSince = performance.now()
    else inquiry.explained = !evidence.isSuspected
  }

  #explanationOf(wait: TopicWait): ReturnType<CreationExplainer['explain']> {
    return this.#options.explainer.explain(wait.name)
  }
}

const isEarly = (wait: TopicWait, { unknowns }: Inquiry): boolean =>
  unknowns < EXPLAIN_AFTER_ATTEMPTS || performance.now() - wait.startedAt < EXPLAIN_AFTER_MS
