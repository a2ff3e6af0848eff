import { crc32c } from '../../protocol/records/crc32c.js'
import { readBatchHeader } from '../../protocol/records/decode.js'
import { Writer } from '../../protocol/wire/writer.js'
import type { Partition } from './topics/topic.js'

const TRANSACTIONAL_CONTROL = 0b11_0000
const NO_SEQUENCE = -1

/** The batch of one control record that ends a transaction (ControlRecordType: 0 abort, 1 commit). */
const encodeMarker = (producerId: number, epoch: number, committed: boolean, now: number): Buffer => {
  const body = new Writer()
  body.int8(0)
  body.varlong(0n)
  body.varint(0)
  body.varint(4)
  body.int16(0)
  body.int16(committed ? 1 : 0)
  body.varint(6)
  body.int16(0)
  body.int32(0)
  body.varint(0)
  const record = body.finish()

  const batch = new Writer()
  batch.int64(0n)
  batch.int32(0)
  batch.int32(-1)
  batch.int8(2)
  batch.int32(0)
  batch.int16(TRANSACTIONAL_CONTROL)
  batch.int32(0)
  batch.int64(BigInt(now))
  batch.int64(BigInt(now))
  batch.int64(BigInt(producerId))
  batch.int16(epoch)
  batch.int32(NO_SEQUENCE)
  batch.int32(1)
  batch.varint(record.length)
  batch.bytes(record)
  const bytes = batch.finish()
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeUInt32BE(crc32c(bytes, 21), 17)
  return bytes
}

/** Ends a producer's transaction on one partition, whoever leads it. */
export const appendMarker = (
  partition: Partition,
  producerId: number,
  epoch: number,
  committed: boolean,
): void => {
  const { log } = partition
  const bytes = encodeMarker(producerId, epoch, committed, Date.now())
  const { baseOffset } = log.append(readBatchHeader(bytes), bytes, partition.leaderEpoch)
  log.endTransaction(producerId, committed, baseOffset)
  log.producers.marked(producerId, epoch)
  partition.changed()
}
