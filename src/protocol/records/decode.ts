import { MalformedMessageError } from '../wire/malformed.js'
import { Reader } from '../wire/reader.js'
import { crc32c } from './crc32c.js'
import { decompress } from './decompress/decompress.js'

/** Bytes of a record batch v2 up to its first record. */
export const BATCH_HEADER_BYTES = 61
/** Base offset and batch length: what stands before the bytes that the length counts. */
const LENGTH_END = 12
const MAGIC_AT = 16
const CRC_AT = 17
const CRC_START = 21

/** The header of a record batch v2 (KIP-98). */
export interface RecordBatchHeader {
  readonly baseOffset: bigint
  /** Bytes of the whole batch, its first 12 included. */
  readonly sizeBytes: number
  readonly partitionLeaderEpoch: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  /** -1 without idempotence. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface DecodedRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface DecodedBatch {
  readonly header: RecordBatchHeader
  readonly records: readonly DecodedRecord[]
}

/** The compression of a batch: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export const compressionOf = (header: RecordBatchHeader): number => header.attributes & 0b111
const isLogAppendTime = (header: RecordBatchHeader): boolean => (header.attributes & 0b1000) !== 0
export const isTransactional = (header: RecordBatchHeader): boolean => (header.attributes & 0b1_0000) !== 0
export const isControl = (header: RecordBatchHeader): boolean => (header.attributes & 0b10_0000) !== 0

/**
 * Cuts a field of records into its batches; a truncated last batch, as Fetch responses may end with, is left out.
 *
 * @throws {MalformedMessageError} on a batch length no batch can have
 */
export const splitBatches = (records: Buffer): Buffer[] => {
  const batches: Buffer[] = []
  let at = 0
  while (records.length - at >= LENGTH_END) {
    const size = LENGTH_END + records.readInt32BE(at + 8)
    if (size < BATCH_HEADER_BYTES) throw new MalformedMessageError(`a record batch of ${size} bytes`)
    if (size > records.length - at) break
    batches.push(records.subarray(at, at + size))
    at += size
  }
  return batches
}

/**
 * Reads the header of one batch.
 *
 * @throws {MalformedMessageError} when it is truncated or not of magic 2
 */
export const readBatchHeader = (batch: Buffer): RecordBatchHeader => {
  if (batch.length < BATCH_HEADER_BYTES) {
    throw new MalformedMessageError(`a record batch header of ${batch.length} bytes`)
  }
  const magic = batch.readInt8(MAGIC_AT)
  if (magic !== 2) throw new MalformedMessageError(`a record batch of magic ${magic}`)
  return {
    baseOffset: batch.readBigInt64BE(0),
    sizeBytes: LENGTH_END + batch.readInt32BE(8),
    partitionLeaderEpoch: batch.readInt32BE(12),
    crc: batch.readUInt32BE(CRC_AT),
    attributes: batch.readInt16BE(21),
    lastOffsetDelta: batch.readInt32BE(23),
    baseTimestamp: batch.readBigInt64BE(27),
    maxTimestamp: batch.readBigInt64BE(35),
    producerId: batch.readBigInt64BE(43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    recordCount: batch.readInt32BE(57),
  }
}

/** Whether {@link readBatchHeader} can read the batch. */
export const isWellFormed = (batch: Buffer): boolean =>
  batch.length >= BATCH_HEADER_BYTES && batch.readInt8(MAGIC_AT) === 2

/** Whether the batch's checksum is that of its bytes. */
export const hasValidCrc = (batch: Buffer): boolean =>
  batch.readUInt32BE(CRC_AT) === crc32c(batch, CRC_START, batch.length)

const readNullable = (reader: Reader): Buffer | null => {
  const length = reader.varint()
  return length < 0 ? null : reader.bytes(length)
}

const readRecord = (reader: Reader, header: RecordBatchHeader): DecodedRecord => {
  const length = reader.varint()
  const end = reader.offset + length
  if (length < 0 || end > reader.end) throw new MalformedMessageError(`a record of ${length} bytes`)
  reader.int8()
  const timestampDelta = reader.varlong()
  const offsetDelta = reader.varint()
  const key = readNullable(reader)
  const value = readNullable(reader)
  const headerCount = reader.varint()
  if (headerCount < 0) throw new MalformedMessageError(`a record with ${headerCount} headers`)
  reader.checkedCount(headerCount)
  const headers: RecordHeader[] = []
  for (let i = 0; i < headerCount; i++) {
    const keyLength = reader.varint()
    headers.push({ key: reader.utf8(keyLength), value: readNullable(reader) })
  }
  if (reader.offset !== end) throw new MalformedMessageError(`a record is not ${length} bytes long`)
  return {
    offset: header.baseOffset + BigInt(offsetDelta),
    timestamp: isLogAppendTime(header) ? header.maxTimestamp : header.baseTimestamp + timestampDelta,
    key,
    value,
    headers,
  }
}

/**
 * Reads one whole batch. Keys and values of an uncompressed batch are views of it.
 *
 * @throws {MalformedMessageError} on a wrong checksum, truncated or left-over bytes
 * @throws {UnreadableCompressionError} when this Node.js cannot decompress its codec
 */
export const decodeBatch = (batch: Buffer): DecodedBatch => {
  const records: DecodedRecord[] = []
  const header = readThrough(batch, record => records.push(record))
  return { header, records }
}

/**
 * Reads one whole batch, record by record, so that none of them has to be kept.
 *
 * @throws as {@link decodeBatch}
 */
export const readThrough = (batch: Buffer, visit: (record: DecodedRecord) => void): RecordBatchHeader => {
  const header = readBatchHeader(batch)
  if (header.sizeBytes !== batch.length) {
    throw new MalformedMessageError(
      `a record batch of ${header.sizeBytes} bytes stands in ${batch.length} bytes`,
    )
  }
  if (!hasValidCrc(batch)) throw new MalformedMessageError('the checksum of a record batch is wrong')
  const codec = compressionOf(header)
  const body = batch.subarray(BATCH_HEADER_BYTES)
  const reader = new Reader(codec === 0 ? body : decompress(codec, body))
  if (header.recordCount < 0) throw new MalformedMessageError(`a batch of ${header.recordCount} records`)
  reader.checkedCount(header.recordCount)
  for (let i = 0; i < header.recordCount; i++) visit(readRecord(reader, header))
  if (reader.remaining > 0)
    throw new MalformedMessageError(`${reader.remaining} bytes follow the last record`)
  return header
}

/** Whether the records of an uncompressed batch stand one behind the other exactly to its end; only lengths are read. */
export const recordsFill = (batch: Buffer, recordCount: number): boolean => {
  let at = BATCH_HEADER_BYTES
  for (let i = 0; i < recordCount; i++) {
    let raw = 0
    let shift = 0
    for (;;) {
      const byte = batch[at++]
      if (byte === undefined || shift > 28) return false
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) break
      shift += 7
    }
    const length = (raw >>> 1) ^ -(raw & 1)
    if (length < 0) return false
    at += length
    if (at > batch.length) return false
  }
  return at === batch.length
}
