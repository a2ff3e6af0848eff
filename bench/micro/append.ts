import { bench } from 'mitata'
import { Batch } from '../../src/delivery/batch/batch.js'
import type { DeliveryClass } from '../../src/delivery/batch/deliveryClass.js'
import { FlushBarrier } from '../../src/delivery/batch/flushBarriers.js'
import { BufferPool } from '../../src/delivery/buffer/bufferPool.js'
import { RecordMeasure } from '../../src/protocol/records/measure.js'
import { toMessage } from '../clients/kafkajs.js'
import { payloads } from '../work/payloads.js'

const RECORDS = 1000
const CLASS: DeliveryClass = {
  acks: -1,
  ackTimeoutMs: 30_000,
  compressor: undefined,
  sequenced: true,
  transactional: false,
}
const LIMITS = { bytes: 2 ** 24, records: 2 ** 20 }
const START_BYTES = 512

/** Batches filled from a small buffer on, with a promise a record and without, as `send` and `enqueue` fill them. */
export const benchAppend = (): void => {
  const messages = payloads({ valueBytes: 100, content: 'random', keyed: false, headers: 0 })
    .slice(0, RECORDS)
    .map(toMessage)
  const pool = new BufferPool(2 ** 26)
  const measure = new RecordMeasure()
  const fill = (promised: boolean): Batch => {
    const batch = new Batch(CLASS, pool.take(START_BYTES), 0, 120_000, new FlushBarrier(), () => undefined)
    const owner = promised ? batch.promised : null
    for (const message of messages) {
      measure.of(message)
      batch.append(message, measure, 1_700_000_000_000, measure.recordBytes, owner, LIMITS, pool)
      if (promised) void batch.promised.add()
    }
    pool.give(batch.body)
    return batch
  }
  bench(`append ${RECORDS} records of 100 B, a promise each`, () => fill(true))
  bench(`append ${RECORDS} records of 100 B, no promise`, () => fill(false))
}
