import { bench, summary } from 'mitata'
import { crc32c } from '../../src/protocol/records/crc32c.js'
import {
  BATCH_HEADER_BYTES,
  CHECKSUM_START,
  recordBodyBytes,
  writeBatchHeader,
  writeChecksum,
  writeRecord,
} from '../../src/protocol/records/encode.js'
import { RecordMeasure } from '../../src/protocol/records/measure.js'
import { toMessage } from '../clients/kafkajs.js'
import { type PayloadSpec, payloads } from '../work/payloads.js'
import { kafkajsBatch, kafkajsRecord } from './kafkajs.js'

const RECORDS = 1000
const TIMESTAMP = 1_700_000_000_000

/** One record batch as the hot path makes it: each record measured and written, then header and checksum. */
const encode = (messages: ReturnType<typeof toMessage>[], bytes: number): (() => number) => {
  const measure = new RecordMeasure()
  const buffer = Buffer.allocUnsafe(bytes)
  return () => {
    let at = BATCH_HEADER_BYTES
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!
      measure.of(message)
      at = writeRecord(buffer, at, recordBodyBytes(measure, 0, i), 0, i, message, measure)
    }
    writeBatchHeader(buffer, 0, at - BATCH_HEADER_BYTES, {
      attributes: 0,
      recordCount: messages.length,
      baseTimestamp: TIMESTAMP,
      maxTimestamp: TIMESTAMP,
      producerId: 1n,
      producerEpoch: 0,
      baseSequence: 0,
    })
    writeChecksum(buffer, 0, crc32c(buffer, CHECKSUM_START, at))
    return at
  }
}

const encodeByKafkajs = (messages: ReturnType<typeof toMessage>[]) => () =>
  kafkajsBatch({
    firstTimestamp: TIMESTAMP,
    maxTimestamp: TIMESTAMP,
    lastOffsetDelta: messages.length - 1,
    records: messages.map(({ key, value, headers }, offsetDelta) =>
      kafkajsRecord({ offsetDelta, timestampDelta: 0, key, value, headers: headers ?? {} }),
    ),
  })

export const benchEncode = (): void => {
  const shapes: [string, PayloadSpec][] = [
    ['100 B', { valueBytes: 100, content: 'random', keyed: false, headers: 0 }],
    ['1 KiB, key, 2 headers', { valueBytes: 1024, content: 'random', keyed: true, headers: 2 }],
  ]
  for (const [name, shape] of shapes) {
    const messages = payloads(shape).slice(0, RECORDS).map(toMessage)
    const bytes = BATCH_HEADER_BYTES + RECORDS * (shape.valueBytes + 200)
    summary(() => {
      bench(`encode ${RECORDS} records of ${name}`, encode(messages, bytes)).baseline()
      bench(`kafkajs: encode ${RECORDS} records of ${name}`, encodeByKafkajs(messages))
    })
  }
}
