import type { Message } from 'kafkajs'
import { lengthBytes, type RecordMeasure, uvarintBytes } from './measure.js'

/*
 * Record batches v2 (KIP-98; DefaultRecordBatch.java, DefaultRecord.java). Records are written one by one into a
 * growing body; the 61 bytes in front of the body are written when the batch is sent, because producer id, epoch and
 * sequence are only known then.
 */

export const BATCH_HEADER_BYTES = 61
/** From here on the checksum covers the header, and then the body. */
export const CHECKSUM_START = 21

/** Copying by a loop is faster than a call into the runtime up to about this size. bytes */
const SMALL_COPY_BYTES = 64

const TWO_TO_31 = 0x8000_0000

/** Zigzag of a safe integer as an unsigned number; exact up to 2^52. */
const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)

const writeUvarint = (buffer: Buffer, at: number, value: number): number => {
  let offset = at
  let rest = value
  while (rest >= TWO_TO_31) {
    buffer[offset++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest > 0x7f) {
    buffer[offset++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[offset++] = rest
  return offset
}

const writeField = (
  buffer: Buffer,
  at: number,
  value: Uint8Array | string | null | undefined,
  length: number,
): number => {
  if (length < 0) {
    buffer[at] = 1 // zigzag of -1
    return at + 1
  }
  const start = writeUvarint(buffer, at, length * 2)
  if (typeof value === 'string') {
    if (length !== value.length) buffer.write(value, start, length, 'utf8')
    else if (length > SMALL_COPY_BYTES) buffer.write(value, start, length, 'latin1')
    else for (let i = 0; i < length; i++) buffer[start + i] = value.charCodeAt(i)
  } else if (length > SMALL_COPY_BYTES) {
    buffer.set(value!, start)
  } else {
    for (let i = 0; i < length; i++) buffer[start + i] = value![i]!
  }
  return start + length
}

/** The record's size behind its own length field. bytes */
export const recordBodyBytes = (
  measure: RecordMeasure,
  timestampDelta: number,
  offsetDelta: number,
): number =>
  1 +
  uvarintBytes(zigzag(timestampDelta)) +
  uvarintBytes(offsetDelta * 2) +
  lengthBytes(measure.keyBytes) +
  Math.max(measure.keyBytes, 0) +
  lengthBytes(measure.valueBytes) +
  Math.max(measure.valueBytes, 0) +
  measure.headersBytes

/**
 * Writes one record at `at`; the caller has made room for `bodyBytes` and its length field.
 *
 * @returns the offset behind it
 */
export const writeRecord = (
  buffer: Buffer,
  at: number,
  bodyBytes: number,
  timestampDelta: number,
  offsetDelta: number,
  message: Message,
  measure: RecordMeasure,
): number => {
  let offset = writeUvarint(buffer, at, bodyBytes * 2)
  buffer[offset++] = 0 // attributes: none are defined
  offset = writeUvarint(buffer, offset, zigzag(timestampDelta))
  offset = writeUvarint(buffer, offset, offsetDelta * 2)
  offset = writeField(buffer, offset, message.key, measure.keyBytes)
  offset = writeField(buffer, offset, message.value, measure.valueBytes)
  const { headerCount, headerKeys, headerKeyBytes, headerValues, headerValueBytes } = measure
  offset = writeUvarint(buffer, offset, headerCount * 2)
  for (let i = 0; i < headerCount; i++) {
    offset = writeField(buffer, offset, headerKeys[i]!, headerKeyBytes[i]!)
    offset = writeField(buffer, offset, headerValues[i], headerValueBytes[i]!)
  }
  return offset
}

/** What stands in front of a batch's records. Timestamps in ms since the epoch. */
export interface BatchHeader {
  readonly attributes: number
  readonly recordCount: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1 without idempotence; so are epoch and sequence. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

const NO_PRODUCER_ID = -1n

const writeInt64 = (buffer: Buffer, at: number, value: number): void => {
  const high = Math.floor(value / 0x1_0000_0000)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4)
}

/** Writes the header without its checksum. Safe integers only: timestamps beyond 2^53 ms are refused at the call. */
export const writeBatchHeader = (
  buffer: Buffer,
  at: number,
  bodyBytes: number,
  header: BatchHeader,
): void => {
  buffer.writeInt32BE(0, at)
  buffer.writeInt32BE(0, at + 4)
  buffer.writeInt32BE(BATCH_HEADER_BYTES - 12 + bodyBytes, at + 8)
  buffer.writeInt32BE(-1, at + 12) // partition leader epoch: the broker's to set
  buffer[at + 16] = 2
  buffer.writeInt16BE(header.attributes, at + 21)
  buffer.writeInt32BE(header.recordCount - 1, at + 23)
  writeInt64(buffer, at + 27, header.baseTimestamp)
  writeInt64(buffer, at + 35, header.maxTimestamp)
  if (header.producerId === NO_PRODUCER_ID) {
    buffer.fill(0xff, at + 43, at + 57)
  } else {
    buffer.writeBigInt64BE(header.producerId, at + 43)
    buffer.writeInt16BE(header.producerEpoch, at + 51)
    buffer.writeInt32BE(header.baseSequence, at + 53)
  }
  buffer.writeInt32BE(header.recordCount, at + 57)
}

export const writeChecksum = (buffer: Buffer, at: number, checksum: number): void => {
  buffer.writeUInt32BE(checksum, at + 17)
}
