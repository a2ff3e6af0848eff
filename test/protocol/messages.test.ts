import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { decodeBody, decodeResponse, encodeBody } from '../../src/protocol/api.js'
import { MalformedMessageError } from '../../src/protocol/wire/malformed.js'
import { Reader } from '../../src/protocol/wire/reader.js'
import { Writer } from '../../src/protocol/wire/writer.js'
import { allApis, type MessageCase, messagesOf } from './support/apis.js'
import { runs, seed } from './support/runs.js'
import { arrayElements, elementsReadBy, samplesOf } from './support/values.js'

vi.mock('../../src/protocol/wire/codec.js', async importActual => {
  const { instrument } = await import('./support/values.js')
  return instrument(await importActual())
})

const apis = await allApis()
const encode = ({ api, codec, version }: MessageCase, value: unknown): Buffer =>
  encodeBody(api, codec as never, version, value as never)
const decode = ({ api, codec, version }: MessageCase, bytes: Buffer): unknown =>
  decodeBody(api, codec, version, new Reader(bytes))

const isRefused = (message: MessageCase, bytes: Buffer): boolean => {
  try {
    decode(message, bytes)
    return false
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    return true
  }
}

/** Decodes what may be no message: a value, or the typed error; and no more elements than there are bytes. */
const decodeHostile = (message: MessageCase, bytes: Buffer): void => {
  const read = elementsReadBy(() => isRefused(message, bytes))
  // Each element that was read took a byte or more; the last one of each level may have failed.
  if (read > bytes.length + 8)
    throw new Error(`${read} elements of arrays were read from ${bytes.length} bytes`)
}

it('every message is covered', () => {
  expect(apis.length).toBeGreaterThanOrEqual(31)
  expect(new Set(apis.map(api => api.key)).size).toBe(apis.length)
})

describe.each(apis.map(api => [api.name, api] as const))('%s', (_, api) => {
  const messages = messagesOf(api)
  const eachMessage = (
    numRuns: number,
    check: (message: MessageCase, options: { readonly numRuns: number; readonly seed: number }) => void,
  ): void => {
    for (const message of messages) {
      try {
        check(message, { numRuns: runs(numRuns), seed })
      } catch (error) {
        throw new Error(`${api.name} ${message.what} version ${message.version}`, { cause: error })
      }
    }
  }

  it('reads what it writes, and writes it the same again', () => {
    eachMessage(25, (message, options) => {
      fc.assert(
        fc.property(samplesOf(message.codec, message.context), ({ given, read }) => {
          const bytes = encode(message, given)
          const value = decode(message, bytes)
          expect(value).toStrictEqual(read)
          expect(decode(message, encode(message, value))).toStrictEqual(read)
        }),
        options,
      )
    })
  })

  it('refuses a message that is cut off anywhere', () => {
    eachMessage(8, (message, options) => {
      fc.assert(
        fc.property(samplesOf(message.codec, message.context), ({ given }) => {
          const bytes = encode(message, given)
          // From the end, where each byte is missed by another field, in steps that keep large messages cheap.
          for (let length = bytes.length - 1; length >= 0; length -= 1 + (bytes.length >> 4)) {
            if (!isRefused(message, bytes.subarray(0, length))) {
              throw new Error(`read from ${length} of ${bytes.length} bytes`)
            }
          }
        }),
        options,
      )
    })
  })

  it('reads a message as it is, whatever follows it', () => {
    eachMessage(8, (message, options) => {
      fc.assert(
        fc.property(
          samplesOf(message.codec, message.context),
          fc.uint8Array({ minLength: 1, maxLength: 40 }),
          ({ given, read }, more) => {
            const bytes = Buffer.concat([encode(message, given), more])
            expect(decode(message, bytes)).toStrictEqual(read)
          },
        ),
        options,
      )
    })
  })

  it('gives a value or the typed error for any bytes', () => {
    // Small numbers make short counts and lengths, which lead deeper than random ones.
    const byte = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(255) })
    eachMessage(60, (message, options) => {
      fc.assert(
        fc.property(fc.array(byte, { maxLength: 200 }), bytes => decodeHostile(message, Buffer.from(bytes))),
        options,
      )
    })
  })

  it('gives a value or the typed error for a message with bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)))
    eachMessage(40, (message, options) => {
      fc.assert(
        fc.property(
          samplesOf(message.codec, message.context),
          fc.array(change, { minLength: 1, maxLength: 4 }),
          ({ given }, changes) => {
            const bytes = Buffer.from(encode(message, given))
            for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
            decodeHostile(message, bytes)
          },
        ),
        options,
      )
    })
  })

  it('answers behind a header with tags that nobody knows', () => {
    for (const message of messages.filter(each => each.what === 'response')) {
      const sample = fc.sample(samplesOf(message.codec, message.context), { numRuns: 1, seed })[0]!
      const header = new Writer()
      // ApiVersions' response header is never flexible, and is read by `decodeBody`.
      if (message.context.flexible)
        for (const byte of [2, 9, 1, 0xaa, 200, 1, 2, 0xbb, 0xcc]) header.int8((byte << 24) >> 24)
      const payload = Buffer.concat([header.finish(), encode(message, sample.given)])
      expect(decodeResponse(api as never, message.version, payload)).toStrictEqual(sample.read)
    }
  })
})

it('no element of an array stands in no bytes: a count could not be checked against what is left', () => {
  for (const { codec, context } of arrayElements()) {
    for (const { given } of fc.sample(samplesOf(codec, context), { numRuns: 5, seed })) {
      const writer = new Writer()
      codec.write(writer, given as never, context)
      expect(writer.size).toBeGreaterThan(0)
    }
  }
})
