import * as contenders from './harness/contender.js'
import { compareLatency, latencyRatio } from './harness/latency.js'
import type { Question } from './harness/question.js'

const GAP_MS = 5
/** Some 500 sends: with fewer the code is not compiled yet, and what is measured is the interpreter. */
const WARMUP_SECONDS = 4

export const question: Question = {
  name: 'lone-latency',
  asks: 'Latency of a lone send() on an idle connection, lingerMs 0',
  minutes: 2,
  run: options =>
    compareLatency(
      {
        question: question.name,
        title: question.asks,
        contenders: [contenders.OURS, contenders.OURS_BEFORE, contenders.KAFKAJS, contenders.PLATFORMATIC],
        reference: contenders.KAFKAJS,
        gapMs: GAP_MS,
        order: 'together',
        warmupSeconds: WARMUP_SECONDS,
        conditions: [
          `${options.valueBytes}-byte values, one partition, ${GAP_MS} ms of rest before each`,
          `all clients at the same time, each in its own process, so that noise meets all alike; ${WARMUP_SECONDS} s of warm-up`,
        ],
        plotted: ['p50Ms', 'p99Ms'],
        claims: samples =>
          (['p50Ms', 'p99Ms'] as const).map(measure => ({
            what: `ours to kafkajs, ${measure.slice(0, 3)}`,
            measured: latencyRatio(samples, contenders.OURS.id, contenders.KAFKAJS.id, measure),
            unit: 'x',
            better: 'lower',
            bar: 0.9,
            goal: 0.8,
          })),
      },
      options,
    ),
}
