import { bench, boxplot, run, summary } from 'mitata'
import { murmur2 } from '../../src/delivery/murmur2.js'
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
import { payloads } from '../work/payloads.js'

const RECORDS = 1000

/** One record batch as the hot path makes it: each record measured and written, then header and checksum. */
const encodeBatch = (shape: { keyed: boolean; headers: number; valueBytes: number }): (() => number) => {
  const messages = payloads({ ...shape, content: 'random' })
    .slice(0, RECORDS)
    .map(toMessage)
  const measure = new RecordMeasure()
  const buffer = Buffer.allocUnsafe(BATCH_HEADER_BYTES + RECORDS * (shape.valueBytes + 200))
  const timestamp = 1_700_000_000_000
  return () => {
    let at = BATCH_HEADER_BYTES
    for (let i = 0; i < RECORDS; i++) {
      const message = messages[i]!
      measure.of(message)
      at = writeRecord(buffer, at, recordBodyBytes(measure, 0, i), 0, i, message, measure)
    }
    writeBatchHeader(buffer, 0, at - BATCH_HEADER_BYTES, {
      attributes: 0,
      recordCount: RECORDS,
      baseTimestamp: timestamp,
      maxTimestamp: timestamp,
      producerId: 1n,
      producerEpoch: 0,
      baseSequence: 0,
    })
    writeChecksum(buffer, 0, crc32c(buffer, CHECKSUM_START, at))
    return at
  }
}

export const runMicro = async (): Promise<void> => {
  summary(() => {
    for (const kib of [1, 16, 1024]) {
      const bytes = Buffer.alloc(kib * 1024, 7)
      bench(`CRC-32C of ${kib} KiB`, () => crc32c(bytes))
    }
  })
  boxplot(() => {
    bench(`encode ${RECORDS} records of 100 B`, encodeBatch({ keyed: false, headers: 0, valueBytes: 100 }))
    bench(
      `encode ${RECORDS} records of 1 KiB, key, 2 headers`,
      encodeBatch({ keyed: true, headers: 2, valueBytes: 1024 }),
    )
  })
  const key = Buffer.from('customer-1234567')
  bench('murmur2 of a 16-byte key', () => murmur2(key))
  await run()
}
