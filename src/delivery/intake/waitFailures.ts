import { BufferFullError, DeliveryTimeoutError } from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { CallLinks } from '../calls/callLinks.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import type { TurnWork } from '../turns.js'
import type { AdmissionHost } from './admissionHost.js'
import type { WaitLimits } from './topicWait.js'
import { type CallMoment, type LineOwner, type WaitingRecord, WaitLine } from './waitLine.js'

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

  /** The topic cannot be had: what waits for it ends. What a failed record's callback sends is not among that. */
  topicFailed({ waiting, queues }: TopicPartitions, error: Error): void {
    const lines = waiting === undefined ? [] : [waiting.parked, waiting.line]
    for (const queue of queues) if (queue?.line !== undefined) lines.push(queue.line)
    this.failLines(lines, () => error)
  }

  /** Ends all records of lines: they leave at once, and their calls are told in order, many in several turns. */
  failLines(lines: Iterable<WaitLine>, errorOf: (topic: string) => Error): void {
    // All of them first: none must take the space that another gives back.
    const endings = Array.from(lines, line => this.detach(line))
    for (const ending of endings) {
      if (ending.size === 0) continue
      const error = errorOf(ending.topic.name)
      this.turns.run(() => {
        const record = ending.first
        if (record === undefined) return 0
        ending.remove(record)
        this.tell(ending.topic, record, error)
        return 1
      })
    }
    this.host.budget.freed()
  }

  /** They do not wait any more: what they take is free again. */
  private detach(line: WaitLine): WaitLine {
    const ending = new WaitLine(line.destination, line.kind, line.topic, Infinity, ENDING)
    for (let record = line.first; record !== undefined; record = line.next(record)) this.release(line, record)
    line.moveTo(ending)
    return ending
  }

  /** What it takes of the buffer, or of what may wait, is free again. */
  private release({ kind, destination }: WaitLine, { bytes }: WaitingRecord): void {
    const { budget } = this.host
    if (kind === 'admitted') budget.give(destination, bytes, 1)
    else budget.waitsNoMore(bytes)
  }

  private tell({ name }: TopicPartitions, { call, index, moment }: WaitingRecord, error: Error): void {
    this.host.observer.recordsFailed(name, 1, error.name)
    call.failedBefore(error, name, index, index + 1)
    moment.flushBarrier.done()
  }

  /** Its time to wait is over. */
  expire(line: WaitLine, record: WaitingRecord, now: number): void {
    const error = this.expiredError(line, record.moment, now)
    if (error instanceof BufferFullError) this.host.observer.bufferWaited(now - record.moment.startedAt)
    this.release(line, record)
    line.remove(record)
    this.tell(line.topic, record, error)
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
      return new BufferFullError(topic.name, { bufferBytes: this.host.budget.limitBytes, waitedMs })
    }
    return new DeliveryTimeoutError(topic.name, {
      deliveryTimeoutMs,
      attempts: 0,
      outcome: 'not-written',
      waitingFor: isMissing ? 'the topic to become available' : 'buffer space',
      cause: isMissing ? this.host.problemOf(topic) : undefined,
    })
  }

  /** Ends what a call has waiting. */
  withdraw(links: CallLinks, error: Error): void {
    if (links.waiting.size === 0) return
    for (const [record, line] of [...links.waiting]) {
      // Its call may have been told of the end of another meanwhile.
      if (links.waiting.get(record) !== line) continue
      if (line.owner !== ENDING) this.release(line, record)
      line.remove(record)
      this.tell(line.topic, record, error)
    }
  }

  /** Ends everything that is in no batch. */
  all(errorOf: (topic: string) => Error): void {
    this.failLines([...this.lines], errorOf)
  }
}
