import { ERROR } from 'kafkajs-resilient-producer/testing'
import { batch } from './batches.js'

/** An empty frame whose blocks are said to lean on each other. */
const LINKED_LZ4 = Buffer.from('04224d1840400000000000', 'hex')

const spoiled = (position: number): Buffer => {
  const bytes = batch()
  bytes[position]! ^= 0xff
  return bytes
}

/** The limit of the topic that these are written to. */
export const MAX_MESSAGE_BYTES = 500

/** Records that a leader refuses, and how; tried on the embedded cluster and on a real Kafka. */
export const refusedBatches: [name: string, records: Buffer, errorCode: number][] = [
  ['a wrong checksum', spoiled(70), ERROR.CORRUPT_MESSAGE],
  ['an old magic byte', spoiled(16), ERROR.CORRUPT_MESSAGE],
  ['a truncated batch', batch().subarray(0, 64), ERROR.INVALID_RECORD],
  ['half a header', batch().subarray(0, 30), ERROR.INVALID_RECORD],
  ['no records', Buffer.alloc(0), ERROR.INVALID_RECORD],
  ['two batches of a partition', Buffer.concat([batch(), batch()]), ERROR.INVALID_RECORD],
  ['a wrong number of records', batch({ recordCount: 2, lastOffsetDelta: 1 }), ERROR.INVALID_RECORD],
  ['offsets that do not fit', batch({ lastOffsetDelta: 3 }), ERROR.INVALID_RECORD],
  ['an empty batch', batch({ recordCount: 0, lastOffsetDelta: -1 }), ERROR.INVALID_RECORD],
  ['control records', batch({ attributes: 0x20 }), ERROR.INVALID_RECORD],
  ['a producer without a sequence', batch({ producerId: 1, sequence: -1 }), ERROR.INVALID_RECORD],
  ['a batch over max.message.bytes', batch({ values: ['x'.repeat(500)] }), ERROR.MESSAGE_TOO_LARGE],
  ['gzip that is none', batch({ attributes: 1 }), ERROR.UNKNOWN_SERVER_ERROR],
  ['lz4 that is none', batch({ attributes: 3 }), ERROR.UNKNOWN_SERVER_ERROR],
  ['lz4 of linked blocks', batch({ attributes: 3, body: LINKED_LZ4 }), ERROR.UNKNOWN_SERVER_ERROR],
  [
    'a wrong number of compressed records',
    batch({ gzip: true, recordCount: 2, lastOffsetDelta: 1 }),
    ERROR.INVALID_RECORD,
  ],
  [
    'a transaction without its id',
    batch({ producerId: 1, attributes: 0x10 }),
    ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ],
]
