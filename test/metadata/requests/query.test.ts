import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  encodeQuery,
  METADATA_MAX_VERSION,
  type MetadataQuery,
} from '../../../src/metadata/requests/query.js'
import { decodeBody, encodeBody } from '../../../src/protocol/api.js'
import { metadataApi } from '../../../src/protocol/messages/metadata.js'
import { Reader } from '../../../src/protocol/wire/reader.js'

const versions = Array.from({ length: METADATA_MAX_VERSION - 3 }, (_, index) => index + 4)

const received = (query: MetadataQuery, version: number) =>
  decodeBody(
    metadataApi,
    metadataApi.request,
    version,
    new Reader(encodeBody(metadataApi, metadataApi.request, version, encodeQuery(query, version))),
  )

describe('a metadata query', () => {
  it.each(versions)(
    'for brokers only is an empty list in version %i: null would mean all topics',
    version => {
      expect(received('brokers-only', version)).toMatchObject({ topics: [], allowAutoTopicCreation: false })
    },
  )

  it.each(versions)('names its topics and carries the creation flag in version %i', version => {
    for (const create of [true, false]) {
      const request = received({ names: ['a', 'b.c'], create }, version)
      expect(request.topics?.map(each => each.name)).toEqual(['a', 'b.c'])
      expect(request.allowAutoTopicCreation).toBe(create)
    }
  })

  it('is refused below version 4, where every request creates, and an empty list may mean all topics', () => {
    for (const version of [0, 1, 2, 3]) {
      expect(() => encodeQuery('brokers-only', version)).toThrow(/versions 4 to 12.*needs Kafka 0\.11/)
      expect(() => encodeQuery({ names: ['a'], create: true }, version)).toThrow(/versions 4 to 12/)
    }
  })

  it('has no case for all topics in its type', () => {
    expectTypeOf<{ names: []; create: true }>().not.toExtend<MetadataQuery>()
    expectTypeOf<{ names: null; create: true }>().not.toExtend<MetadataQuery>()
    expectTypeOf<null>().not.toExtend<MetadataQuery>()
  })
})
