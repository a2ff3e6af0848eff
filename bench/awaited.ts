import * as contenders from './harness/contender.js'
import { compareLatency, latencyRatio } from './harness/latency.js'
import type { Question } from './harness/question.js'

export const question: Question = {
  name: 'awaited',
  asks: 'An await send() loop, one record at a time, at defaults',
  minutes: 2,
  run: options =>
    compareLatency(
      {
        question: question.name,
        title: question.asks,
        contenders: [
          contenders.OURS,
          contenders.OURS_BEFORE,
          contenders.KAFKAJS,
          contenders.PLATFORMATIC,
          contenders.CONFLUENT,
          contenders.RDKAFKA,
        ],
        reference: contenders.KAFKAJS,
        gapMs: 0,
        order: 'inTurn',
        warmupSeconds: 1,
        conditions: [
          `${options.valueBytes}-byte values, one partition, the next send as soon as one has resolved`,
        ],
        plotted: ['recordsPerSecond'],
        claims: samples => [
          {
            what: 'ours to kafkajs, records/s',
            measured: latencyRatio(samples, contenders.OURS.id, contenders.KAFKAJS.id, 'recordsPerSecond'),
            unit: 'x',
            better: 'higher',
            bar: 1.6,
            goal: 2,
          },
        ],
      },
      options,
    ),
}
