import * as zlib from 'node:zlib'
import type { Compression } from './clients/client.js'
import { compare } from './harness/comparison.js'
import {
  CONFLUENT,
  CONFLUENT_TUNED,
  type Contender,
  OURS,
  OURS_NODE_24,
  select,
} from './harness/contender.js'
import { nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

/** node:zlib's zstd is younger than Node 20; the codec is Node's own there, and no package is needed. */
const HAS_ZSTD = 'zstdCompress' in zlib
const oursFor = (codec: Compression): Contender => (codec === 'zstd' && !HAS_ZSTD ? OURS_NODE_24 : OURS)

const CODECS: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd']

export const question: Question = {
  name: 'codecs',
  asks: 'Each codec against confluent with the same codec',
  minutes: 6,
  run: options => {
    const plain = plainConditions(options)
    const payload = { ...plain.payload, content: 'json' } as const
    const idWith = (id: string, codec: Compression): string => `${codec}-${id}`
    const rows = CODECS.map(compression => ({
      compression,
      ...select([oursFor(compression), CONFLUENT, CONFLUENT_TUNED], options.only),
    }))
    const entrants = rows.flatMap(({ compression, chosen }) =>
      chosen.map(each => ({
        ...nodeEntrant(each, { ...plain, payload, compression }, options, idWith(each.id, compression)),
        label: `${compression}, ${each.label}`,
      })),
    )
    return compare(
      {
        question: question.name,
        title: question.asks,
        entrants,
        reference: undefined,
        conditions: [
          `${options.valueBytes}-byte values of JSON, no keys, 6 partitions, each codec at the client's default level`,
        ],
        skipped: [...new Set(rows.flatMap(({ skipped }) => skipped))],
        claims: CODECS.map(codec => ({
          what: `${codec}: ours to @confluentinc/kafka-javascript`,
          ours: idWith(oursFor(codec).id, codec),
          against: entrants.filter(({ id }) => id.startsWith(`${codec}-confluent`)),
          bar: 1.5,
          goal: 3,
        })),
      },
      options,
    )
  },
}
