import { ERROR } from '../../protocol/errorCodes.js'
import { crc32c } from '../../protocol/records/crc32c.js'
import {
  BATCH_HEADER_BYTES,
  compressionOf,
  type DecodedRecord,
  decodeBatch,
  hasValidCrc,
  isControl,
  isTransactional,
  type RecordBatchHeader,
  readBatchHeader,
  readThrough,
  recordsFill,
} from '../../protocol/records/decode.js'
import {
  UndecompressableError,
  UnreadableCompressionError,
} from '../../protocol/records/decompress/decompress.js'
import { hasIndependentBlocks } from '../../protocol/records/decompress/lz4.js'
import { OutputTooLargeError } from '../../protocol/records/decompress/outputLimit.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import type { BrokerModel } from '../model/brokerModel.js'
import type { TopicConfig } from './topics/configs.js'
import type { Partition } from './topics/topic.js'

/** What a leader says to a batch. */
export interface AppendResult {
  readonly errorCode: number
  readonly baseOffset: number
  /** -1 unless the topic's timestamps are those of the append. */
  readonly logAppendTimeMs: number
  readonly errorMessage: string | null
  readonly recordErrors: readonly { batchIndex: number; batchIndexErrorMessage: string | null }[]
  /** False when the batch was in the log already. */
  readonly appended: boolean
}

const refused = (
  errorCode: number,
  errorMessage: string | null = null,
  recordErrors: AppendResult['recordErrors'] = [],
): AppendResult => ({
  errorCode,
  baseOffset: -1,
  logAppendTimeMs: -1,
  errorMessage,
  recordErrors,
  appended: false,
})

const NO_COMPRESSION = 0
const LZ4 = 3
const ZSTD = 4
/** Zstandard came with version 7 of Produce (KIP-110). */
const ZSTD_SINCE = 7
/** Older clients do not know TRANSACTION_ABORTABLE (KIP-890). */
const ABORTABLE_SINCE = 11

/** A batch that is cut short is none, to a broker. */
const NO_BATCH = refused(
  ERROR.INVALID_RECORD,
  'Produce requests must have at least one record batch per partition',
)

const readHeader = (records: Buffer): RecordBatchHeader | AppendResult => {
  if (records.length < BATCH_HEADER_BYTES) return NO_BATCH
  try {
    const header = readBatchHeader(records)
    if (header.sizeBytes > records.length) return NO_BATCH
    if (header.sizeBytes < records.length) {
      return refused(
        ERROR.INVALID_RECORD,
        'Produce requests are only allowed to contain exactly one record batch per partition',
      )
    }
    return header
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    return refused(ERROR.CORRUPT_MESSAGE, `The record batch is malformed: ${error.message}.`)
  }
}

const formatRefusal = (
  header: RecordBatchHeader,
  batch: Buffer,
  config: TopicConfig,
  version: number,
  { codecs }: BrokerModel,
): AppendResult | undefined => {
  const maxBytes = config.number('max.message.bytes')
  if (batch.length > maxBytes) {
    return refused(
      ERROR.MESSAGE_TOO_LARGE,
      `The record batch size in the append to is ${batch.length} bytes which exceeds the maximum configured value of ${maxBytes}.`,
    )
  }
  if (!hasValidCrc(batch)) return refused(ERROR.CORRUPT_MESSAGE, 'Record is corrupt')
  if (codecs !== undefined && !codecs.includes(compressionOf(header)))
    return refused(ERROR.UNSUPPORTED_FOR_MESSAGE_FORMAT)
  if (compressionOf(header) === ZSTD && version < ZSTD_SINCE) {
    return refused(
      ERROR.UNSUPPORTED_COMPRESSION_TYPE,
      'Produce requests with version lower than 7 are not allowed to use ZStandard compression',
    )
  }
  if (isControl(header))
    return refused(ERROR.INVALID_RECORD, 'Clients are not allowed to write control records')
  if (header.recordCount <= 0 || header.lastOffsetDelta !== header.recordCount - 1) {
    return refused(
      ERROR.INVALID_RECORD,
      `Inconsistent batch offset range: ${header.recordCount} records, last offset delta ${header.lastOffsetDelta}`,
    )
  }
  if (compressionOf(header) === NO_COMPRESSION && !recordsFill(batch, header.recordCount)) {
    return refused(
      ERROR.INVALID_RECORD,
      `Incorrect declared batch size: not ${header.recordCount} whole records`,
    )
  }
  if (header.producerId >= 0n && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    return refused(ERROR.INVALID_RECORD, 'A batch with a producer id has neither epoch nor sequence')
  }
  return undefined
}

/**
 * The records; none of a batch that cannot be read here (zstd on older Nodes).
 *
 * @throws {MalformedMessageError} when the records are not what the header says
 */
const recordsOf = (batch: Buffer): readonly DecodedRecord[] => {
  try {
    return decodeBatch(batch).records
  } catch (error) {
    if (error instanceof UnreadableCompressionError) return []
    throw error
  }
}

/** Each record's timestamp; where they cannot be read the largest alone. */
const timestampsOf = (batch: Buffer): bigint[] => {
  const timestamps = recordsOf(batch).map(({ timestamp }) => timestamp)
  return timestamps.length > 0 ? timestamps : [readBatchHeader(batch).maxTimestamp]
}

/**
 * Compressed records are read through, as a broker does to check them. Where its decompressor throws it knows no
 * better than 'unknown server error'.
 */
const compressionRefusal = (header: RecordBatchHeader, batch: Buffer): AppendResult | undefined => {
  const codec = compressionOf(header)
  if (codec === NO_COMPRESSION) return undefined
  if (codec === LZ4 && !hasIndependentBlocks(batch.subarray(BATCH_HEADER_BYTES))) {
    return refused(ERROR.UNKNOWN_SERVER_ERROR)
  }
  try {
    readThrough(batch, () => {})
    return undefined
  } catch (error) {
    if (error instanceof UnreadableCompressionError) return undefined
    if (error instanceof UndecompressableError) {
      const isTooLarge = error.cause instanceof OutputTooLargeError
      return refused(ERROR.UNKNOWN_SERVER_ERROR, isTooLarge ? `The embedded cluster: ${error.message}` : null)
    }
    if (!(error instanceof MalformedMessageError)) throw error
    return refused(ERROR.INVALID_RECORD, `The compressed records are malformed: ${error.message}.`)
  }
}

/** The records whose timestamps the topic does not take; only looked at when the topic has limits. */
const timestampRefusal = (batch: Buffer, config: TopicConfig, now: number): AppendResult | undefined => {
  const beforeMax = config.number('message.timestamp.before.max.ms')
  const afterMax = config.number('message.timestamp.after.max.ms')
  if (config.get('message.timestamp.type') !== 'CreateTime') return undefined
  if (beforeMax > Number.MAX_SAFE_INTEGER && afterMax > Number.MAX_SAFE_INTEGER) return undefined
  const wrong = timestampsOf(batch).flatMap((timestamp, batchIndex) => {
    const at = Number(timestamp)
    return at < now - beforeMax || at > now + afterMax
      ? [
          {
            batchIndex,
            batchIndexErrorMessage: `Timestamp ${at} of message with offset ${batchIndex} is out of range. The timestamp should be within [${now - beforeMax}, ${now + afterMax}]`,
          },
        ]
      : []
  })
  if (wrong.length === 0) return undefined
  return refused(
    ERROR.INVALID_TIMESTAMP,
    'One or more records have been rejected due to invalid timestamp',
    wrong,
  )
}

/** The records without a key, which a topic that is compacted has no use for. */
const keyRefusal = (partition: Partition, batch: Buffer, config: TopicConfig): AppendResult | undefined => {
  if (!config.get('cleanup.policy')?.includes('compact')) return undefined
  const batchIndexErrorMessage = `Compacted topic cannot accept message without key in topic partition ${partition.topic}-${partition.index}`
  const wrong = recordsOf(batch).flatMap(({ key }, batchIndex) =>
    key === null ? [{ batchIndex, batchIndexErrorMessage }] : [],
  )
  if (wrong.length === 0) return undefined
  const shown = wrong
    .slice(0, 3)
    .map(each => `RecordError(batchIndex=${each.batchIndex}, message='${batchIndexErrorMessage}')`)
  return refused(
    ERROR.INVALID_RECORD,
    `One or more records have been rejected due to ${wrong.length} record errors in total, and only showing the first three errors at most: [${shown.join(', ')}]`,
    wrong,
  )
}

/** The batch as a topic with append times stores it: attribute and maximum timestamp changed, checksum anew. */
const withAppendTime = (batch: Buffer, now: number): Buffer => {
  const stored = Buffer.from(batch)
  stored.writeInt16BE(stored.readInt16BE(21) | 0b1000, 21)
  stored.writeBigInt64BE(BigInt(now), 35)
  stored.writeUInt32BE(crc32c(stored, 21), 17)
  return stored
}

/**
 * Checks one partition's records as its leader does and appends them.
 *
 * @param version of the Produce request
 * @param now milliseconds since the epoch
 * @param model what the leader plays
 */
export const appendRecords = (
  partition: Partition,
  config: TopicConfig,
  records: Buffer | null,
  version: number,
  now: number,
  model: BrokerModel,
): AppendResult => {
  if (records === null) return NO_BATCH
  const header = readHeader(records)
  if ('errorCode' in header) return header
  const wrong =
    formatRefusal(header, records, config, version, model) ??
    compressionRefusal(header, records) ??
    keyRefusal(partition, records, config) ??
    timestampRefusal(records, config, now)
  if (wrong) return wrong

  const { log } = partition
  const sequenced = header.producerId >= 0n
  const batch = {
    producerId: Number(header.producerId),
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    lastOffsetDelta: header.lastOffsetDelta,
  }
  const byAppend = config.get('message.timestamp.type') === 'LogAppendTime'
  const logAppendTimeMs = byAppend ? now : -1
  const done = { errorCode: ERROR.NONE, logAppendTimeMs, errorMessage: null, recordErrors: [] }
  if (sequenced) {
    const verdict = log.producers.check(batch, model)
    if (verdict.kind === 'refused') return refused(verdict.errorCode, verdict.message)
    if (verdict.kind === 'duplicate') return { ...done, baseOffset: verdict.baseOffset, appended: false }
  }
  if (isTransactional(header) && !log.producers.isInTransaction(batch.producerId)) {
    return refused(
      version >= ABORTABLE_SINCE ? ERROR.TRANSACTION_ABORTABLE : ERROR.INVALID_TXN_STATE,
      'The partition is not part of a transaction of this producer.',
    )
  }
  const stored = byAppend ? withAppendTime(records, now) : records
  const { baseOffset } = log.append(
    byAppend ? readBatchHeader(stored) : header,
    stored,
    partition.leaderEpoch,
  )
  if (sequenced) log.producers.remember(batch, baseOffset)
  partition.changed()
  return { ...done, baseOffset, appended: true }
}
