import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Batch } from '../../../src/delivery/batch/batch.js'
import type { DeliveryClass } from '../../../src/delivery/batch/deliveryClass.js'
import { FlushBarrier } from '../../../src/delivery/batch/flushBarriers.js'
import { BufferPool } from '../../../src/delivery/buffer/bufferPool.js'
import {
  layOutProduceRequest,
  type RoutedBatch,
  requestVersion,
} from '../../../src/delivery/wire/produceRequest.js'
import { decodeBody } from '../../../src/protocol/api.js'
import { produceApi } from '../../../src/protocol/messages/produce.js'
import { decodeBatch } from '../../../src/protocol/records/decode.js'
import { RecordMeasure } from '../../../src/protocol/records/measure.js'
import { Reader } from '../../../src/protocol/wire/reader.js'
import { runs, seed } from '../../protocol/support/runs.js'

const plain: DeliveryClass = {
  acks: -1,
  ackTimeoutMs: 1000,
  compressor: undefined,
  sequenced: true,
  transactional: false,
}
const pool = new BufferPool(1024 * 1024)
const measure = new RecordMeasure()

const batchOf = (values: readonly string[], deliveryClass = plain): Batch => {
  const batch = new Batch(deliveryClass, pool.take(512), 0, 0, new FlushBarrier(), () => {})
  const limits = { bytes: Infinity, records: Infinity }
  for (const [index, value] of values.entries()) {
    const message = { value, key: `key ${index}`, headers: { index: `${index}` } }
    expect(batch.append(message, measure.of(message), 1000 + index, 0, null, limits, pool)).toBe(true)
  }
  return batch
}

/** The same for the same name. */
const idOf = (topic: string): Buffer => createHash('md5').update(topic).digest()

const routed = (batch: Batch, topic = 't', partition = 0): RoutedBatch => ({
  topic,
  topicBytes: Buffer.from(topic),
  topicId: idOf(topic),
  partition,
  batch,
})

/** Frames are as small as was asked for, and dirty, as a pool gives them. */
const layOut = (
  version: number,
  topics: readonly (readonly RoutedBatch[])[],
  transactionalId: string | null = null,
) => {
  const chunks = layOutProduceRequest(
    version,
    -1,
    1234,
    topics,
    bytes => Buffer.alloc(bytes, 0xee),
    transactionalId,
  )
  return {
    chunks,
    body: decodeBody(produceApi, produceApi.request, version, new Reader(Buffer.concat(chunks))),
  }
}

const versions = [3, 5, 7, 8, 9, 10, 11, 12, 13]

describe('a Produce request', () => {
  test.each(versions)('of version %i says what was shipped', version => {
    // Of topics' names, partitions, and bodies that are copied between the headers and such that are not.
    const shape = fc.array(
      fc.record({
        topic: fc.constantFrom('a', 'topic.of-usual_length', 'x'.repeat(249)),
        partitions: fc.array(fc.tuple(fc.nat(100_000), fc.constantFrom(1, 40, 4000, 5000)), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
      { minLength: 1, maxLength: 3 },
    )
    fc.assert(
      fc.property(shape, list => {
        const topics = list.map(({ topic, partitions }) =>
          partitions.map(([partition, size]) => routed(batchOf(['v'.repeat(size), 'w']), topic, partition)),
        )
        const { body } = layOut(version, topics)
        expect({ acks: body.acks, timeoutMs: body.timeoutMs, id: body.transactionalId }).toEqual({
          acks: -1,
          timeoutMs: 1234,
          id: null,
        })
        expect(
          body.topicData.map(({ name, topicId, partitionData }) => [
            version < 13 ? name : topicId,
            partitionData.map(({ index, records }) => [
              index,
              decodeBatch(records!).records.map(({ value }) => value!.length),
            ]),
          ]),
        ).toEqual(
          list.map(({ topic, partitions }) => [
            version < 13 ? topic : idOf(topic).toString('hex'),
            partitions.map(([index, size]) => [index, [size, 1]]),
          ]),
        )
      }),
      { seed, numRuns: runs(30) },
    )
  })

  test.each(versions)('of version %i carries a transactional id', version => {
    expect(layOut(version, [[routed(batchOf(['v']))]], 'payments-7').body.transactionalId).toBe('payments-7')
  })

  test('takes large bodies as they are, without a copy', () => {
    const batch = batchOf(['v'.repeat(10_000)])
    const { chunks } = layOut(9, [[routed(batch)]])
    expect(chunks.some(each => each.buffer === batch.body.buffer)).toBe(true)
  })

  test('has a header of its own for each attempt: an earlier one may still be on its way', () => {
    const batch = batchOf(['v'.repeat(10_000), 'w'])
    batch.identify({ producerId: 7n, epoch: 0 }, 5)
    const first = layOut(9, [[routed(batch)]])
    batch.identify({ producerId: 7n, epoch: 1 }, 0)
    const second = layOut(9, [[routed(batch)]])
    const headerOf = ({ body }: typeof first) =>
      decodeBatch(body.topicData[0]!.partitionData[0]!.records!).header
    expect(headerOf(second)).toMatchObject({ producerEpoch: 1, baseSequence: 0 })
    // Read again after the second was laid out; both have the right checksum, or they could not be read.
    const again = decodeBody(produceApi, produceApi.request, 9, new Reader(Buffer.concat(first.chunks)))
    expect(decodeBatch(again.topicData[0]!.partitionData[0]!.records!).header).toMatchObject({
      producerEpoch: 0,
      baseSequence: 5,
      producerId: 7n,
    })
    batch.forgetIdentity()
    expect(headerOf(layOut(9, [[routed(batch)]]))).toMatchObject({
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
    })
  })

  test('says by a batch’s attributes that it is transactional', () => {
    const batch = batchOf(['v'], { ...plain, transactional: true })
    const { body } = layOut(9, [[routed(batch)]])
    expect(decodeBatch(body.topicData[0]!.partitionData[0]!.records!).header.attributes).toBe(0x10)
  })
})

describe('the version of a request', () => {
  const nameless = { ...routed(batchOf(['v'])), topicId: undefined }
  const transactional = routed(batchOf(['v'], { ...plain, transactional: true }))

  test('is the highest that the broker speaks', () => {
    expect(requestVersion(13, [routed(batchOf(['v']))])).toBe(13)
    expect(requestVersion(9, [routed(batchOf(['v'])), nameless, transactional])).toBe(9)
  })

  test('goes by names where the id of one topic is not known', () => {
    expect(requestVersion(13, [routed(batchOf(['v'])), nameless])).toBe(12)
  })

  test('leaves transactions to the protocol that adds partitions by itself', () => {
    expect(requestVersion(13, [transactional])).toBe(11)
  })
})

describe('a batch', () => {
  test('of compressed records carries the codec and the compressed bytes', () => {
    const compressor = { attributes: 1, compress: (body: Buffer) => body }
    const batch = batchOf(['v'], { ...plain, compressor } as never)
    batch.compressed = Buffer.from('not really gzip')
    const { body } = layOut(9, [[routed(batch)]])
    const records = body.topicData[0]!.partitionData[0]!.records!
    expect(records.readInt16BE(21)).toBe(1)
    expect(records.subarray(61).toString()).toBe('not really gzip')
  })

  test('takes records up to its limits, a first one of any size, and none too far apart in time', () => {
    const limits = { bytes: 100, records: 3 }
    const append = (batch: Batch, value: string, timestamp = 0) => {
      const message = { value }
      return batch.append(message, measure.of(message), timestamp, 10, null, limits, pool)
    }
    const fresh = () => new Batch(plain, pool.take(512), 0, 0, new FlushBarrier(), () => {})
    const large = fresh()
    expect(append(large, 'x'.repeat(5000))).toBe(true)
    expect(append(large, 'y')).toBe(false)
    const counted = fresh()
    expect([1, 2, 3, 4].map(() => append(counted, 'v'))).toEqual([true, true, true, false])
    expect(counted.chargedBytes).toBe(30)
    const sized = fresh()
    expect([append(sized, 'x'.repeat(60)), append(sized, 'y'.repeat(60))]).toEqual([true, false])
    const timed = fresh()
    expect([append(timed, 'v', 0), append(timed, 'v', 2 ** 51), append(timed, 'v', -(2 ** 51))]).toEqual([
      true,
      false,
      false,
    ])
  })
})
