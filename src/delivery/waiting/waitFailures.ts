import { BufferFullError, DeliveryTimeoutError } from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { Destination } from '../buffer/shares.js'
import type { TurnWork } from '../turns.js'
import type { AdmissionHost } from './admissionHost.js'
import type { CallLinks } from './callLinks.js'
import type { TopicPartitions } from './topicPartitions.js'
import type { WaitLimits } from './topicWait.js'
import { type CallMoment, isLastOf, type LineOwner, type WaitingRecord, WaitLine } from './waitLine.js'

const nothing = (): void => {}

/** Of records that are not waited for any more, and whose calls are told so in turn. */
const ENDING: LineOwner = { due: () => 0, admitFirst: nothing, occupied: nothing, emptied: nothing }

/** The ways in which records end that are in no batch yet: out of time, withdrawn, of a topic that cannot be had. */
export class WaitFailures {
  /** The lines in which records wait. */
  readonly lines = new Set<WaitLine>()
  private readonly limits: WaitLimits
  private readonly host: AdmissionHost
  private readonly turns: TurnWork
  /** Records that came together end with one error. */
  private expired: { readonly moment: CallMoment; readonly line: WaitLine; readonly error: Error } | undefined

  constructor(limits: WaitLimits, host: AdmissionHost, turns: TurnWork) {
    this.limits = limits
    this.host = host
    this.turns = turns
  }

  /** The topic has fewer partitions than before: what waits for space at this one ends. */
  partitionGone({ line }: Destination, error: Error): void {
    if (line instanceof WaitLine) this.failLines([line], () => error)
  }

  /** The topic cannot be had: what waits for it ends. What a failed record's callback sends is not among that. */
  topicFailed({ waiting, queues }: TopicPartitions, error: Error): void {
    const lines = waiting === undefined ? [] : [waiting.parked, waiting.line]
    for (const { line } of queues) if (line instanceof WaitLine) lines.push(line)
    this.failLines(lines, () => error)
  }

  /** Ends all records of lines: they leave at once, and their calls are told in order, many in several turns. */
  failLines(lines: Iterable<WaitLine>, errorOf: (topic: string) => Error): void {
    // All of them first: none must take the space that another gives back.
    const leaving = Array.from(lines, line => this.detach(line))
    for (const line of leaving) {
      if (line.size === 0) continue
      const error = errorOf(line.topic.name)
      this.turns.run(() => {
        const { first } = line
        return first === undefined ? 0 : this.endRun(line, first, error, () => true)
      })
    }
    this.host.budget.freed()
  }

  /** They do not wait any more: what they take is free again. */
  private detach(line: WaitLine): WaitLine {
    const leaving = new WaitLine(line.destination, line.kind, line.topic, Infinity, ENDING)
    for (let record = line.first; record !== undefined; record = line.next(record)) this.release(line, record)
    line.moveTo(leaving)
    return leaving
  }

  /** What it takes of the buffer, or of what may wait, is free again. */
  private release({ kind, destination }: WaitLine, { bytes, index, moment }: WaitingRecord): void {
    const { budget, observer } = this.host
    if (kind === 'admitted') return budget.give(destination, bytes, 1)
    budget.waitsNoMore(bytes)
    if (isLastOf(moment, index)) observer.bufferWaited(performance.now() - moment.startedAt)
  }

  /**
   * Ends a record, and those of its call that follow it directly: told one by one, calls that share a promise would end in
   * another order.
   *
   * @param goesAlong whether the next one ends too
   * @returns how many have ended
   */
  private endRun(
    line: WaitLine,
    first: WaitingRecord,
    error: Error,
    goesAlong: (record: WaitingRecord) => boolean,
  ): number {
    const { call, index } = first
    const { name } = line.topic
    const barriers: FlushBarrier[] = []
    let end = index
    let record: WaitingRecord | undefined = first
    while (record !== undefined && record.call === call && record.index === end && goesAlong(record)) {
      const next = line.next(record)
      line.remove(record)
      barriers.push(record.moment.flushBarrier)
      end++
      record = next
    }
    this.host.observer.recordsFailed(name, end - index, error.name)
    call.failedBefore(error, name, index, end)
    for (const barrier of barriers) barrier.done()
    return end - index
  }

  /** The time to wait of a record is over, and of those of its call that came with it. @returns how many have ended */
  expire(line: WaitLine, first: WaitingRecord, now: number): number {
    const { moment } = first
    const error = this.expiredError(line, moment, now)
    return this.endRun(line, first, error, record => {
      if (record.moment !== moment) return false
      this.release(line, record)
      return true
    })
  }

  private expiredError(line: WaitLine, moment: CallMoment, now: number): Error {
    const { expired } = this
    if (expired?.moment === moment && expired.line === line) return expired.error
    const error = withoutStack(() => this.newExpiredError(line, now - moment.startedAt))
    this.expired = { moment, line, error }
    // Kept, it would hold the call's moment until the next time.
    setImmediate(() => {
      this.expired = undefined
    })
    return error
  }

  private newExpiredError({ kind, topic }: WaitLine, waitedMs: number): Error {
    const { maxBlockMs, deliveryTimeoutMs } = this.limits
    const isMissing = topic.view === undefined
    if (kind === 'space' && maxBlockMs < deliveryTimeoutMs) {
      return new BufferFullError(topic.name, {
        bufferBytes: this.host.budget.limitBytes,
        waitedMs,
        cause: this.host.waits.bufferCause,
      })
    }
    return new DeliveryTimeoutError(topic.name, {
      deliveryTimeoutMs,
      attempts: 0,
      outcome: 'not-written',
      waitingFor: isMissing ? 'the topic to become available' : 'buffer space',
      cause: isMissing ? this.host.problemOf(topic) : this.host.waits.bufferCause,
    })
  }

  /** Ends what a call has waiting. */
  withdraw(links: CallLinks, error: Error): void {
    if (links.waiting.size === 0) return
    for (const [record, line] of [...links.waiting]) {
      // Its call may have been told of the end of another meanwhile.
      if (links.waiting.get(record) !== line) continue
      this.endRun(line, record, error, each => {
        if (line.owner !== ENDING) this.release(line, each)
        return true
      })
    }
  }

  /** Ends everything that is in no batch. */
  all(errorOf: (topic: string) => Error): void {
    this.failLines([...this.lines], errorOf)
  }
}
