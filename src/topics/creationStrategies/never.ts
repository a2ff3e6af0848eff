import { attemptsText } from '../../errors/bases.js'
import { UnknownTopicError } from '../../errors/index.js'
import { answerError } from '../../metadata/requests/answer.js'
import type { ScheduleEnd } from '../../metadata/retry/schedule.js'
import { ERROR } from '../../protocol/errorCodes.js'
import type { TopicWait } from '../topicWait.js'
import type { CreationStrategy, UnknownTopics, WaitControl } from './strategy.js'

/** Nothing is created here. Somebody else has `waitForMs` to do so, counted from the first answer "unknown". */
export class CreateNever implements CreationStrategy {
  readonly asksBroker = false
  readonly #control: WaitControl
  readonly #unknownSince = new WeakMap<TopicWait, number>()

  constructor(control: WaitControl) {
    this.#control = control
  }

  unknown({ waits, answers }: UnknownTopics): void {
    const now = performance.now()
    const patient: TopicWait[] = []
    for (const wait of waits) {
      const since = this.#unknownSince.get(wait) ?? now
      this.#unknownSince.set(wait, since)
      const { waitForMs } = wait.settings
      if (now - since < waitForMs) patient.push(wait)
      else {
        const cause = answerError(wait.name, answers.get(wait)!)
        const patience = waitForMs > 0 ? `waitForMs (${waitForMs} ms)` : undefined
        const context = { attempts: wait.attempt, cause }
        this.#control.fail(wait, new UnknownTopicError(wait.name, remedy(patience), context))
      }
    }
    this.#control.retry(patient, wait => answers.get(wait)!)
  }

  /** A wait whose last answer was "unknown": the topic is as unknown as it is after `waitForMs`. */
  exhausted(wait: TopicWait, { attempts, cause }: ScheduleEnd): Error | undefined {
    if ((cause as { readonly code?: unknown }).code !== ERROR.UNKNOWN_TOPIC_OR_PARTITION) return undefined
    const patience = `metadataRetry (${attemptsText(attempts)})`
    return new UnknownTopicError(wait.name, remedy(patience), { attempts, cause })
  }
}

const remedy = (patience: string | undefined): string =>
  `By the topic policy (create: 'never') it is not created here` +
  `${patience === undefined ? '' : `, and nobody else did within ${patience}`}. ` +
  `Create it beforehand, or allow topics: { create: 'broker' } or { create: 'admin' }.`
