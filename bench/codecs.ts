import type { Compression } from './clients/client.js'
import { compare } from './harness/comparison.js'
import { CONFLUENT, CONFLUENT_TUNED, OURS, select } from './harness/contender.js'
import { nodeEntrant, plainConditions } from './harness/entrants.js'
import type { Question } from './harness/question.js'

const CODECS: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd']

export const question: Question = {
  name: 'codecs',
  asks: 'Each codec against confluent with the same codec',
  minutes: 6,
  run: options => {
    const { chosen, skipped } = select([OURS, CONFLUENT, CONFLUENT_TUNED], options.only)
    const plain = plainConditions(options)
    const payload = { ...plain.payload, content: 'json' } as const
    const idWith = (id: string, codec: Compression): string => `${codec}-${id}`
    const entrants = CODECS.flatMap(compression =>
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
        skipped,
        claims: CODECS.map(codec => ({
          what: `${codec}: ours to @confluentinc/kafka-javascript`,
          ours: idWith(OURS.id, codec),
          against: entrants.filter(({ id }) => id.startsWith(`${codec}-confluent`)),
          bar: 1.5,
          goal: 3,
        })),
      },
      options,
    )
  },
}
