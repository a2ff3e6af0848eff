import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PartitionAnswer, readProduceResponse } from '../../../src/delivery/wire/produceResponse.js'
import { decodeResponse, encodeBody } from '../../../src/protocol/api.js'
import { produceApi } from '../../../src/protocol/messages/produce.js'
import { MalformedMessageError } from '../../../src/protocol/wire/malformed.js'
import { runs, seed } from '../../protocol/support/runs.js'

const int32 = fc.integer({ min: -1, max: 2 ** 31 - 1 })
const int64 = fc.bigInt({ min: -1n, max: 2n ** 63n - 1n })
const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }), { nil: null })

const response = fc.record({
  responses: fc.array(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 10 }),
      topicId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(id => Buffer.from(id).toString('hex')),
      partitionResponses: fc.array(
        fc.record(
          {
            index: int32,
            errorCode: fc.integer({ min: -1, max: 120 }),
            baseOffset: int64,
            logAppendTimeMs: int64,
            logStartOffset: int64,
            recordErrors: fc.array(fc.record({ batchIndex: int32, batchIndexErrorMessage: text }), {
              maxLength: 3,
            }),
            errorMessage: text,
            currentLeader: fc.record({ leaderId: int32, leaderEpoch: int32 }),
          },
          { requiredKeys: ['index', 'errorCode', 'baseOffset', 'logAppendTimeMs'] },
        ),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 4 },
  ),
  throttleTimeMs: int32,
  nodeEndpoints: fc.option(
    fc.array(fc.record({ nodeId: int32, host: fc.string({ maxLength: 9 }), port: int32, rack: text }), {
      maxLength: 3,
    }),
    { nil: undefined },
  ),
})

const version = fc.integer({ min: produceApi.minVersion, max: produceApi.maxVersion })

const payloadOf = (spoken: number, value: object): Buffer => {
  const body = encodeBody(produceApi, produceApi.response, spoken, value as never)
  return spoken >= produceApi.flexibleFrom ? Buffer.concat([Buffer.from([0]), body]) : body
}

const read = (spoken: number, payload: Buffer) => {
  const responses = new Map<number, [string, PartitionAnswer]>()
  const rest = readProduceResponse(spoken, payload, {
    named: name => name,
    identified: (bytes, at) => bytes.toString('hex', at, at + 16),
    answered: (topic, answer) => responses.set(responses.size, [topic, answer]),
  })
  return { answers: [...responses.values()], ...rest }
}

test('reads what the definition describes, in every version', () => {
  fc.assert(
    fc.property(version, response, (spoken, value) => {
      const payload = payloadOf(spoken, value)
      const expected = decodeResponse(produceApi, spoken, payload)
      expect(read(spoken, payload)).toEqual({
        answers: expected.responses.flatMap(({ name, topicId, partitionResponses }) =>
          partitionResponses.map(answer => [spoken < 13 ? name : topicId, answer]),
        ),
        throttleTimeMs: expected.throttleTimeMs,
        nodeEndpoints: expected.nodeEndpoints,
      })
    }),
    { seed, numRuns: runs(300) },
  )
})

test('takes altered and cut bytes for malformed, or for a value the definition reads too', () => {
  fc.assert(
    fc.property(version, response, fc.nat(), fc.nat(255), fc.boolean(), (spoken, value, at, byte, isCut) => {
      const payload = Buffer.from(payloadOf(spoken, value))
      const altered = isCut ? payload.subarray(0, at % (payload.length + 1)) : payload
      if (!isCut && altered.length > 0) altered[at % altered.length] = byte
      const attempt = (decode: () => unknown): 'malformed' | 'value' => {
        try {
          decode()
          return 'value'
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessageError)
          return 'malformed'
        }
      }
      expect(attempt(() => read(spoken, altered))).toBe(
        attempt(() => decodeResponse(produceApi, spoken, altered)),
      )
    }),
    { seed, numRuns: runs(2000) },
  )
})

test('gives answers or the typed error for any bytes, and no more answers than stand in them', () => {
  // Small numbers make short counts and lengths, which lead deeper than random ones.
  const byte = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(255) })
  fc.assert(
    fc.property(version, fc.array(byte, { maxLength: 200 }), (spoken, bytes) => {
      let answers = 0
      try {
        readProduceResponse(spoken, Buffer.from(bytes), {
          named: () => undefined,
          identified: () => undefined,
          answered: () => answers++,
        })
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError)
      }
      // Index, error code, offset and time of one answer: 22 bytes.
      expect(answers * 22).toBeLessThanOrEqual(bytes.length)
    }),
    { seed, numRuns: runs(2000) },
  )
})
