import type { Message } from 'kafkajs'
import type { Wait, Waiters } from '../../waits/wait.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import { Expiring } from '../batch/expiryList.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { SpaceLine } from '../buffer/lineHeap.js'
import type { Destination } from '../buffer/shares.js'
import type { SendCompletion } from './sendCompletion.js'
import type { TopicPartitions } from './topicPartitions.js'

/** What records that came together share. */
export interface CallMoment {
  /** ms on the clock of `performance.now()` */
  readonly startedAt: number
  readonly deliveryClass: DeliveryClass
  readonly flushBarrier: FlushBarrier
  /** Waits for space however long that takes: of a stream, which has one record at a time. */
  readonly isPatient: boolean
  /** The index of its call's last message, at which the wait is measured; -1: each record is a call of its own. */
  readonly lastIndex: number
}

/** Whether the wait of the record's call is measured at this record. */
export const isLastOf = ({ lastIndex }: CallMoment, index: number): boolean =>
  lastIndex < 0 || lastIndex === index

/** A record that is in no batch yet. Small: there may be a million of them (see docs/decisions/intake.md). */
export class WaitingRecord {
  /** The producer's own copy. The bytes of its key and value are shared with the caller. */
  readonly message: Message
  readonly call: SendCompletion
  /** Among its call's messages for the topic. */
  readonly index: number
  readonly moment: CallMoment
  /** What the buffer counts for it. */
  readonly bytes: number
  /** @internal its neighbours in its line */
  before: WaitingRecord | WaitLine
  /** @internal */
  behind: WaitingRecord | WaitLine

  constructor(
    message: Message,
    call: SendCompletion,
    index: number,
    moment: CallMoment,
    bytes: number,
    line: WaitLine,
  ) {
    this.message = message
    this.call = call
    this.index = index
    this.moment = moment
    this.bytes = bytes
    this.before = line
    this.behind = line
  }
}

/** Whose line it is. */
export interface LineOwner {
  /** The first record's time is up. @returns how many records it has ended, or has begun to end */
  due(line: WaitLine): number
  /** There is space for the first record. */
  admitFirst(line: WaitLine): void
  /** It has its first record. */
  occupied(line: WaitLine): void
  /** Its last record has left. */
  emptied(line: WaitLine): void
}

/** Records of one destination in the order in which they came, which may leave from anywhere: a doubly linked list through the records. */
export class WaitLine extends Expiring implements SpaceLine, Waiters {
  readonly destination: Destination
  /** Whether the buffer has taken its records in, which wait for their topic, or they wait for space. */
  readonly kind: 'admitted' | 'space'
  readonly topic: TopicPartitions
  /** How long its records wait. ms */
  readonly patienceMs: number
  readonly owner: LineOwner
  size = 0
  /** Its entry among all ongoing waits, while its records wait for space. */
  ongoing: Wait | undefined
  /** @internal LineHeap's; -1: it is in none */
  heapIndex = -1
  /** @internal LineHeap's */
  servedAt = 0
  /** @internal the last record */
  before: WaitingRecord | WaitLine = this
  /** @internal the first record */
  behind: WaitingRecord | WaitLine = this

  constructor(
    destination: Destination,
    kind: 'admitted' | 'space',
    topic: TopicPartitions,
    patienceMs: number,
    owner: LineOwner,
  ) {
    super()
    this.destination = destination
    this.kind = kind
    this.topic = topic
    this.patienceMs = patienceMs
    this.owner = owner
  }

  get waitingRecords(): number {
    return this.size
  }

  /** Since when its first record has waited. ms on the clock of `performance.now()` */
  get waitingSince(): number | undefined {
    return this.first?.moment.startedAt
  }

  get first(): WaitingRecord | undefined {
    return this.behind === this ? undefined : (this.behind as WaitingRecord)
  }

  /** The record after this one. */
  next(record: WaitingRecord): WaitingRecord | undefined {
    return record.behind === this ? undefined : (record.behind as WaitingRecord)
  }

  add(record: WaitingRecord): void {
    record.before = this.before
    record.behind = this
    this.before.behind = record
    this.before = record
    record.call.links?.waiting.set(record, this)
    if (++this.size === 1) this.owner.occupied(this)
  }

  remove(record: WaitingRecord): void {
    record.before.behind = record.behind
    record.behind.before = record.before
    record.call.links?.waiting.delete(record)
    if (--this.size === 0) this.owner.emptied(this)
  }

  /** The moment at which the first record that has one is out of time. ms on the clock of `performance.now()` */
  get dueAt(): number {
    for (let record = this.first; record !== undefined; record = this.next(record)) {
      // Those are few: one for each stream.
      const { moment } = record
      if (this.kind === 'admitted' || !moment.isPatient) return moment.startedAt + this.patienceMs
    }
    return Infinity
  }

  /** The first record whose time is up at this moment. */
  firstDue(now: number): WaitingRecord | undefined {
    for (let record = this.first; record !== undefined; record = this.next(record)) {
      const { moment } = record
      if (this.kind === 'space' && moment.isPatient) continue
      return moment.startedAt + this.patienceMs <= now ? record : undefined
    }
    return undefined
  }

  /** Moves all of its records to another line. */
  moveTo(line: WaitLine): void {
    for (let record = this.first; record !== undefined; record = this.first) {
      this.remove(record)
      line.add(record)
    }
  }

  admitFirst(): void {
    this.owner.admitFirst(this)
  }

  override expire(): number {
    return this.owner.due(this)
  }
}
