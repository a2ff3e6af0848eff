import { SendAbortedError } from '../errors/index.js'
import type { Admission } from './admission.js'
import type { Call } from './call.js'
import type { Endings } from './endings.js'
import type { Lane } from './lane.js'
import type { SendEntry } from './sendEntry.js'
import type { Settlement } from './settlement.js'
import type { TopicRoster } from './topicRoster.js'

export interface RecallParts {
  readonly roster: TopicRoster
  readonly admission: Admission
  readonly endings: Endings
  readonly settlement: Settlement
}

/** Takes records back that are in no request: those of one call, or all, where a transaction ends early. */
export class Recall {
  private readonly parts: RecallParts
  private waiters: (() => void)[] = []

  constructor(parts: RecallParts) {
    this.parts = parts
  }

  /** Withdraws what a call has in no request yet. */
  call(entries: readonly SendEntry[], call: Call, topics: Iterable<string>, reason: unknown): void {
    const { admission, roster, endings } = this.parts
    for (const entry of entries) admission.unplaced.abort(entry, reason)
    for (const name of topics) {
      for (const lane of roster.get(name)?.lanes ?? []) {
        for (const batch of [...lane.batches]) {
          const error = new SendAbortedError(name, { partition: lane.partition, cause: reason })
          if (batch.attempts === 0) endings.withdraw(lane, batch, owner => call.owns(owner), error)
        }
      }
    }
  }

  /** Rejects what a lane has in no request. */
  lane(lane: Lane, error: Error): void {
    this.parts.endings.rejectAll(lane, error)
  }

  /** Rejects everything that is in no request; what is in one ends with its answer, and does not go again, until {@link resume}. */
  all(error: (topic: string) => Error): void {
    const { admission, roster, endings, settlement } = this.parts
    settlement.recalled = error
    admission.unplaced.close(roster.all, error)
    for (const topic of roster.all) {
      for (const lane of topic.lanes) if (lane !== undefined) endings.rejectAll(lane, error(topic.name))
    }
  }

  resume(): void {
    this.parts.settlement.recalled = undefined
  }

  /** Resolves when nothing is in a request. */
  landed(): Promise<void> {
    if (this.isLanded) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  private get isLanded(): boolean {
    for (const topic of this.parts.roster.all) {
      for (const lane of topic.lanes) if (lane !== undefined && lane.inFlight > 0) return false
    }
    return true
  }

  /** A batch has ended. */
  noteEnd(): void {
    if (this.waiters.length === 0 || !this.isLanded) return
    for (const resume of this.waiters.splice(0)) resume()
  }

  /** The lanes with sequences that may never be used. */
  get unsettled(): readonly Lane[] {
    return [...this.parts.roster.all].flatMap(({ lanes }) => lanes.filter(lane => lane.isUnsettled))
  }

  /** The producer has another identity, and nothing is left of what the former one has sent. */
  restart(): void {
    for (const topic of this.parts.roster.all) for (const lane of topic.lanes) lane?.restart()
  }
}
