import type { EmbeddedKafka } from '../cluster.js'
import { assertDelivered, type DeliveredOptions, differenceFrom, type ExpectedRecord } from './delivered.js'

interface Verdict {
  readonly pass: boolean
  readonly message: () => string
}

/** What `expect` gives a matcher, as far as it is used here: the same in Vitest and Jest. */
interface MatcherContext {
  readonly isNot?: boolean
}

/**
 * Matchers for `expect.extend(kafkaMatchers)` of Vitest or Jest. Importing them loads neither.
 *
 * @example
 * import { expect } from 'vitest'
 * expect.extend(kafkaMatchers)
 */
export const kafkaMatchers = {
  /**
   * Waits until the topic's committed records are the expected ones (see {@link assertDelivered}); after `not` it looks once and does not wait.
   */
  async toHaveDelivered(
    this: MatcherContext,
    cluster: EmbeddedKafka,
    topic: string,
    expected: readonly ExpectedRecord[],
    options: DeliveredOptions = {},
  ): Promise<Verdict> {
    const message = () =>
      this.isNot
        ? `topic ${topic} holds just those records`
        : (differenceFrom(cluster, topic, expected) ?? '')
    if (this.isNot) return { pass: differenceFrom(cluster, topic, expected) === undefined, message }
    return assertDelivered(cluster, topic, expected, options).then(
      () => ({ pass: true, message }),
      (error: Error) => ({ pass: false, message: () => error.message }),
    )
  },
}

/** For the types: `declare module 'vitest' { interface Matchers<T = any> extends KafkaMatchers {} }`. */
export interface KafkaMatchers {
  /**
   * Waits until the topic's committed records are the expected ones: see {@link assertDelivered}.
   *
   * @throws the assertion's error when they are not there in time
   * @example
   * import { expect } from 'vitest'
   * interface Matching { toHaveDelivered: KafkaMatchers['toHaveDelivered'] }
   * await (expect(cluster) as unknown as Matching).toHaveDelivered('orders', [{ key: 'o-1' }])
   */
  toHaveDelivered(
    topic: string,
    expected: readonly ExpectedRecord[],
    options?: DeliveredOptions,
  ): Promise<void>
}
