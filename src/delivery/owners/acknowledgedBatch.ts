import type { RecordMetadata } from 'kafkajs'
import type { AttemptLog } from './attemptLog.js'

const LAST_DIGITS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))

type RecordMetadataConstructor = new (
  topicName: string,
  partition: number,
  baseOffset: string,
  logAppendTime: string,
  logStartOffset: string,
) => RecordMetadata

/**
 * Makes the plain object that a literal would make, by `new`: V8 counts how many objects of a literal survive, finds the
 * results of a first burst all alive, and from then on makes those of each record in the old generation. At a million
 * records a second that costs a sixth of the processor's time, and a full collection every half second.
 */
const PlainRecordMetadata = function (
  this: RecordMetadata,
  topicName: string,
  partition: number,
  baseOffset: string,
  logAppendTime: string,
  logStartOffset: string,
): void {
  this.topicName = topicName
  this.partition = partition
  this.errorCode = 0
  this.baseOffset = baseOffset
  this.logAppendTime = logAppendTime
  this.logStartOffset = logStartOffset
} as unknown as RecordMetadataConstructor
Object.defineProperty(PlainRecordMetadata, 'prototype', { value: Object.prototype })

/** Where an acknowledged batch stands in the log. */
export class AcknowledgedBatch {
  readonly topic: string
  readonly partition: number
  /** As RecordMetadata gives them: ms since the epoch, and the first offset of the log; "-1" where the broker did not say. */
  readonly logAppendTime: string
  readonly logStartOffset: string
  /** Of a batch some of whose records are watched. */
  readonly attemptLog: AttemptLog | undefined
  private readonly baseOffset: bigint
  private readonly safeBaseOffset: number
  /** The offset that was asked for last without its last three digits, and as text. */
  private thousands = -1
  private thousandsText = ''

  constructor(
    topic: string,
    partition: number,
    baseOffset: bigint,
    logAppendTime: bigint,
    logStartOffset: bigint,
    attemptLog?: AttemptLog,
  ) {
    this.attemptLog = attemptLog
    this.topic = topic
    this.partition = partition
    this.baseOffset = baseOffset
    this.safeBaseOffset = baseOffset <= MAX_SAFE ? Number(baseOffset) : -1
    this.logAppendTime = logAppendTime === -1n ? '-1' : String(logAppendTime)
    this.logStartOffset = logStartOffset === 0n ? '0' : String(logStartOffset)
  }

  /** The offset of the record at this index of the batch; "-1" where the broker only said that it has it already. */
  offsetAt(index: number): string {
    if (this.safeBaseOffset >= 0) return this.textOf(this.safeBaseOffset + index)
    return this.baseOffset < 0n ? '-1' : String(this.baseOffset + BigInt(index))
  }

  /** A batch's offsets follow each other: to put two texts together takes half the time of making each from its number. */
  private textOf(offset: number): string {
    const thousands = Math.floor(offset / 1000)
    if (thousands === 0) return String(offset)
    if (thousands !== this.thousands) {
      this.thousands = thousands
      this.thousandsText = String(thousands)
    }
    return this.thousandsText + LAST_DIGITS[offset - thousands * 1000]!
  }

  /** As kafkajs gives it, for a call whose first record stands at this index. */
  metadataAt(index: number): RecordMetadata {
    const { topic, partition, logAppendTime, logStartOffset } = this
    return new PlainRecordMetadata(topic, partition, this.offsetAt(index), logAppendTime, logStartOffset)
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER) - 0xffff_ffffn
