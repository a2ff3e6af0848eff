import { expect, vi } from 'vitest'
import { MetadataCache } from '../../../src/metadata/cache/cache.js'
import type { TopicAnswer } from '../../../src/metadata/requests/answer.js'
import { MetadataRefresher } from '../../../src/metadata/requests/refresher.js'
import { recordingLogger } from '../logs.js'
import { performanceClock, ScriptedCluster } from '../scriptedCluster.js'

export const MIN_TIMEOUT_MS = 50

/** A refresher on a scripted cluster and a fake clock, made anew for each test. */
export class RefresherWorld {
  readonly cluster = new ScriptedCluster()
  readonly log = recordingLogger()
  readonly refreshed: [string, string][] = []
  readonly cache = new MetadataCache({
    onBrokers: brokers => this.cluster.setBrokers(brokers),
    onListenerError: error => {
      throw error
    },
  })
  readonly refresher = new MetadataRefresher({
    transport: this.cluster,
    cache: this.cache,
    clock: performanceClock,
    logger: this.log.logger,
    observer: { metadataRefreshed: (trigger, outcome) => this.refreshed.push([trigger, outcome]) },
    requestTimeoutMs: 3000,
    pace: { minTimeoutMs: MIN_TIMEOUT_MS, maxTimeoutMs: 1000 },
  })

  static start(): RefresherWorld {
    vi.useFakeTimers()
    return new RefresherWorld()
  }

  end(): void {
    expect(this.cluster.mostConcurrent).toBeLessThanOrEqual(1)
    this.refresher.close(new Error('the test has ended'))
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  }

  lookup(name: string, create: boolean, attempt: number): Promise<TopicAnswer> {
    return this.refresher.lookup(name, {
      create,
      trigger: 'topic',
      attempt,
      pace: attempt === 1 ? 'first' : 'again',
    })
  }
}

/** What is set on an immediate while the clock runs fires one fake ms later. */
export const turn = () => vi.advanceTimersByTimeAsync(1)

/** The outcome of a lookup that may still be open. */
export const watch = (lookup: Promise<TopicAnswer>) => {
  const seen: { answer?: TopicAnswer; error?: unknown } = {}
  lookup.then(
    answer => Object.assign(seen, { answer }),
    error => Object.assign(seen, { error }),
  )
  return seen
}
