import type { RetryOptions } from 'kafkajs'
import { defined, given } from '../../util/plainObject.js'
import { defaultOf } from './optionSchema.js'
import type { DeliveryRetryOptions, MetadataRetryOptions } from './optionTypes.js'

/** kafkajs's src/retry/defaults.js. Durations in ms. */
const KAFKAJS_DEFAULTS = { initialRetryTime: 300, maxRetryTime: 30_000, multiplier: 2 } as const

/** The largest number that the options take, as a duration in ms and as a count. */
const LARGEST = 2 ** 31 - 1

export interface RetrySources {
  /** kafkajs's, of a ProducerConfig: above our own. */
  readonly producer: RetryOptions | undefined
  readonly own: DeliveryRetryOptions | undefined
  /** kafkajs's, of a KafkaConfig: below our own. */
  readonly client: RetryOptions | undefined
}

/**
 * The retries of a batch where kafkajs's `RetryOptions` are given too: its `multiplier` is the growth of the waits, its `factor`
 * their jitter. A number of retries without waits comes with kafkajs's waits, so that it lasts as long as there.
 */
export const deliveryRetry = ({ producer, own, client }: RetrySources): DeliveryRetryOptions | undefined => {
  const [above, below] = [translated(producer), translated(client)]
  if (!hasFields(above) && !hasFields(below)) return own
  const retry = { ...below, ...own, ...above }
  const isCounted =
    retry.retries !== undefined && retry.retries !== Infinity && retry.retries !== own?.retries
  const shortest = isCounted ? KAFKAJS_DEFAULTS.initialRetryTime : defaultOf('retry.minTimeoutMs')
  const longest = isCounted ? KAFKAJS_DEFAULTS.maxRetryTime : defaultOf('retry.maxTimeoutMs')
  // kafkajs takes a first wait above the longest one; our own options do not.
  const maxTimeoutMs = retry.maxTimeoutMs ?? Math.max(longest, retry.minTimeoutMs ?? 0)
  return { ...retry, maxTimeoutMs, minTimeoutMs: Math.min(retry.minTimeoutMs ?? shortest, maxTimeoutMs) }
}

/**
 * The time that kafkajs's retries would take, as the budget of a topic that is not available yet and of the first broker. Within
 * it our own schedule asks sooner and more often.
 */
export const metadataBudget = (
  producer: RetryOptions | undefined,
  client: RetryOptions | undefined,
): MetadataRetryOptions => {
  const { retries, ...waits } = { ...KAFKAJS_DEFAULTS, ...given(client), ...given(producer) }
  if (retries === undefined || retries === Infinity) return {}
  if (retries <= 0) return { retries: 0 }
  return { retries: Infinity, maxRetryTimeMs: totalOf(retries, waits) }
}

const totalOf = (
  retries: number,
  { initialRetryTime, maxRetryTime, multiplier }: Record<keyof typeof KAFKAJS_DEFAULTS, number>,
): number => {
  let total = 0
  let wait = initialRetryTime
  for (let i = 0; i < retries && total < LARGEST; i++) {
    // At least 1 ms: kafkajs takes waits of 0, of which the sum of many is not worth counting.
    total += Math.max(1, wait)
    wait = Math.min(wait * multiplier, maxRetryTime)
  }
  return Math.min(Math.round(total), LARGEST)
}

const translated = (options: RetryOptions | undefined): DeliveryRetryOptions => {
  const { retries, initialRetryTime, maxRetryTime, multiplier, factor } = given(options)
  return defined({
    retries: retries && (retries > LARGEST ? Infinity : Math.max(0, Math.ceil(retries))),
    minTimeoutMs: initialRetryTime && Math.min(LARGEST, Math.round(initialRetryTime)),
    maxTimeoutMs: maxRetryTime && Math.min(LARGEST, Math.round(maxRetryTime)),
    factor: multiplier && Math.max(1, multiplier),
    jitter: factor && Math.min(1, factor),
  })
}

const hasFields = (options: object): boolean => Object.keys(options).length > 0
