import { crc32c } from '../../protocol/records/crc32c.js'
import {
  BATCH_HEADER_BYTES,
  CHECKSUM_START,
  writeBatchHeader,
  writeChecksum,
} from '../../protocol/records/encode.js'
import { uvarintBytes } from '../../protocol/records/measure.js'
import type { Batch } from '../batch/batch.js'

/** A batch and where it goes. */
export interface RoutedBatch {
  readonly topic: string
  /** The topic's name in UTF-8, encoded once for all its batches. */
  readonly topicBytes: Buffer
  /** The 16 bytes of the topic's id; undefined where the brokers do not tell it. */
  readonly topicId: Buffer | undefined
  readonly partition: number
  readonly batch: Batch
}

/** From this version on topics go by their ids (KIP-516). */
export const IDS_FROM = 13
/** The last version that leaves it to AddPartitionsToTxn to add a batch's partition to its transaction (KIP-890). */
const LAST_TRANSACTIONAL = 11
/** From this version on a request has compact lengths and tagged fields (KIP-482). */
const FLEXIBLE_FROM = 9

/** A body up to this size is copied between the headers: cheaper than one more piece for the socket. bytes */
const COPIED_BODY_BYTES = 4096

/** What stands around one batch: index, length, tag section; and around a topic: its count and tag section. */
const PARTITION_FRAME_BYTES = 4 + 5 + 1
const TOPIC_FRAME_BYTES = 2 + 5 + 5 + 1
export const TOPIC_ID_BYTES = 16
const REQUEST_FRAME_BYTES = 2 + 2 + 4 + 5 + 1

const NO_PRODUCER_ID = -1n
const TRANSACTIONAL = 0x10

const uvarint = (buffer: Buffer, at: number, value: number): number => {
  let offset = at
  let rest = value
  while (rest > 0x7f) {
    buffer[offset++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[offset++] = rest
  return offset
}

/** The version to speak of one request: a topic whose id is not known can go by its name only. */
export const requestVersion = (spoken: number, routed: readonly RoutedBatch[]): number => {
  let version = spoken
  for (const { batch, topicId } of routed) {
    if (batch.deliveryClass.transactional) return Math.min(version, LAST_TRANSACTIONAL)
    if (topicId === undefined) version = Math.min(version, IDS_FROM - 1)
  }
  return version
}

/** Room for all that does not travel as a piece of its own. */
const frameBytes = (topics: readonly (readonly RoutedBatch[])[]): number => {
  let size = REQUEST_FRAME_BYTES + uvarintBytes(topics.length + 1)
  for (const routed of topics) {
    size += TOPIC_FRAME_BYTES + Math.max(TOPIC_ID_BYTES, routed[0]!.topicBytes.length)
    for (const { batch } of routed) {
      size += PARTITION_FRAME_BYTES + BATCH_HEADER_BYTES
      if (batch.wireBytes <= COPIED_BODY_BYTES) size += batch.wireBytes
    }
  }
  return size
}

/**
 * Lays out a Produce request around its record batches: headers and small bodies in one buffer, large bodies as they
 * are. A batch's header is written here, into this request's own buffer, because an earlier request with another
 * identity may still be on its way.
 *
 * @param frame gives a buffer of at least that many bytes
 */
export const layOutProduceRequest = (
  version: number,
  acks: number,
  ackTimeoutMs: number,
  topics: readonly (readonly RoutedBatch[])[],
  frame: (bytes: number) => Buffer,
  transactionalId: string | null = null,
): Buffer[] => {
  const flexible = version >= FLEXIBLE_FROM
  const idBytes = transactionalId === null ? undefined : Buffer.from(transactionalId)
  const buffer = frame(frameBytes(topics) + (idBytes?.length ?? 0))
  const chunks: Buffer[] = []
  let start = 0
  let at = 0

  const count = (value: number): void => {
    if (flexible) at = uvarint(buffer, at, value + 1)
    else at = buffer.writeInt32BE(value, at)
  }
  const shortBytes = (value: Buffer): void => {
    if (flexible) at = uvarint(buffer, at, value.length + 1)
    else at = buffer.writeInt16BE(value.length, at)
    at += value.copy(buffer, at)
  }
  const noTags = (): void => {
    if (flexible) buffer[at++] = 0
  }

  if (idBytes !== undefined) shortBytes(idBytes)
  else if (flexible) buffer[at++] = 0
  else at = buffer.writeInt16BE(-1, at)
  at = buffer.writeInt16BE(acks, at)
  at = buffer.writeInt32BE(ackTimeoutMs, at)
  count(topics.length)
  for (const routed of topics) {
    const { topicBytes, topicId } = routed[0]!
    if (version >= IDS_FROM) at += topicId!.copy(buffer, at)
    else shortBytes(topicBytes)
    count(routed.length)
    for (const { partition, batch } of routed) {
      const bodyBytes = batch.wireBytes
      at = buffer.writeInt32BE(partition, at)
      count(BATCH_HEADER_BYTES + bodyBytes)
      writeHeader(buffer, at, batch, bodyBytes)
      const bodyAt = at + BATCH_HEADER_BYTES
      if (bodyBytes <= COPIED_BODY_BYTES) {
        const end = bodyAt + batch.copyWireBody(buffer, bodyAt)
        // Header and body in one go: of a small batch the checksum is most of what sending it costs.
        if (batch.checksum < 0) batch.checksum = crc32c(buffer, at + CHECKSUM_START, end)
        writeChecksum(buffer, at, batch.checksum)
        at = end
      } else {
        const body = batch.wireBody
        if (batch.checksum < 0) {
          batch.checksum = crc32c(body, 0, body.length, crc32c(buffer, at + CHECKSUM_START, bodyAt))
        }
        writeChecksum(buffer, at, batch.checksum)
        chunks.push(buffer.subarray(start, bodyAt), body)
        at = bodyAt
        start = at
      }
      noTags()
    }
    noTags()
  }
  noTags()
  if (at > start) chunks.push(buffer.subarray(start, at))
  return chunks
}

/** Its compression (bits 0 to 2) and whether it is part of a transaction (bit 4). */
const attributesOf = ({ compressed, deliveryClass }: Batch): number => {
  const codec = compressed === undefined ? 0 : (deliveryClass.compressor?.attributes ?? 0)
  return codec | (deliveryClass.transactional ? TRANSACTIONAL : 0)
}

const writeHeader = (buffer: Buffer, at: number, batch: Batch, bodyBytes: number): void => {
  writeBatchHeader(buffer, at, bodyBytes, {
    attributes: attributesOf(batch),
    recordCount: batch.recordCount,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.identity?.producerId ?? NO_PRODUCER_ID,
    producerEpoch: batch.identity?.epoch ?? -1,
    baseSequence: batch.baseSequence,
  })
}
