import { describe, expect, it } from 'vitest'
import { type RecordMapping, topicNameProblem, toRecord } from '../../../src/cli/ndjson/record.js'

const mapping: RecordMapping = {
  topic: { field: 'kind' },
  topicPrefix: 'shop.',
  keyField: 'id',
  maxLineBytes: 100,
}
const map = (line: string | Buffer | undefined, changes: Partial<RecordMapping> = {}) =>
  toRecord(
    { number: 1, bytes: typeof line === 'string' ? Buffer.from(line) : line },
    { ...mapping, ...changes },
  )

describe('toRecord', () => {
  it('takes topic and key from fields and the line itself, unchanged, as the value', () => {
    const line = '{ "kind":"orders", "id": "o-1" ,"price": 1.50 }'
    expect(map(line)).toEqual({ record: { topic: 'shop.orders', key: 'o-1', value: Buffer.from(line) } })
  })

  it('takes numbers and booleans as text', () => {
    expect(map('{"kind":7,"id":true}')).toMatchObject({ record: { topic: 'shop.7', key: 'true' } })
  })

  it('reaches into objects by a path of names, a field of that very name going first', () => {
    const changes = { topic: { field: 'a.b' } }
    expect(map('{"a":{"b":"deep"},"id":1}', changes)).toMatchObject({ record: { topic: 'shop.deep' } })
    expect(map('{"a.b":"flat","a":{"b":"deep"},"id":1}', changes)).toMatchObject({
      record: { topic: 'shop.flat' },
    })
  })

  it('needs no field and no object for a fixed topic without keys', () => {
    const changes = { topic: { name: 'all' }, topicPrefix: '', keyField: undefined }
    expect(map('[1,2]', changes)).toEqual({
      record: { topic: 'all', key: null, value: Buffer.from('[1,2]') },
    })
  })

  it.each([
    ['not JSON', '{"kind":', /^not JSON: /],
    ['a topic field that is missing', '{"id":1}', /^no field "kind" to take the topic from$/],
    ['a key field that is missing', '{"kind":"a"}', /^no field "id" to take the key from$/],
    ['a key that is null', '{"kind":"a","id":null}', /^the key field "id" is null$/],
    ['a topic that is an object', '{"kind":{},"id":1}', /^the topic field "kind" is an object or a list$/],
    ['a key JSON.parse has rounded', '{"kind":"a","id":12345678901234567890}', /too large to be exact/],
    ['a topic name Kafka refuses', '{"kind":"a b","id":1}', /^not a legal topic name: "shop\.a b"/],
    ['a field of the prototype', '{"id":"x","kind":"y"}', /^no field "toString"/, { keyField: 'toString' }],
    ['a value that is no object', '"text"', /^no field "kind"/],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /^not UTF-8$/],
    ['a line over the bound', undefined, /^longer than 100 bytes/],
  ] as const)('complains of %s', (_what, line, complaint, changes: Partial<RecordMapping> = {}) => {
    const mapped = map(line, changes)
    expect(mapped).toHaveProperty('malformed', expect.stringMatching(complaint))
  })

  it('never prints control characters of the input', () => {
    const mapped = map('{"kind":"a\\u001b[2Jb","id":1}')
    expect(mapped).toHaveProperty('malformed', expect.stringContaining('a\\u001b[2Jb'))
    expect(JSON.stringify(map('{"kind": \u001b[2J}'))).not.toContain('\u001b')
  })
})

describe('topicNameProblem', () => {
  it('accepts what Kafka accepts', () => {
    for (const name of ['a', 'A.b_c-9', 'x'.repeat(249), '...'])
      expect(topicNameProblem(name)).toBeUndefined()
  })

  it('refuses what Kafka refuses', () => {
    for (const name of ['', '.', '..', 'x'.repeat(250), 'a/b', 'ä', 'a\n'])
      expect(topicNameProblem(name)).toBeDefined()
  })
})
