import { expect, vi } from 'vitest'
import { silentObserver } from '../../src/metrics/observer.js'
import {
  compileTopicPolicy,
  type MetadataRetrySettings,
  TopicDirectory,
  type TopicPolicyOptions,
  type TopicView,
} from '../../src/topics/index.js'
import { WaitRegistry } from '../../src/waits/registry.js'
import { WaitLog } from '../../src/waits/waitLog.js'
import { recordingLogger } from '../metadata/logs.js'
import { ScriptedCluster } from '../metadata/scriptedCluster.js'

/** A directory on a scripted cluster, under fake timers. */
export const startDirectory = (
  topics: TopicPolicyOptions = {},
  retry: Partial<MetadataRetrySettings> = {},
  cluster = new ScriptedCluster(),
) => {
  const log = recordingLogger()
  const waited: [string, string][] = []
  const created: [string, string][] = []
  const retried: [string, string][] = []
  const waits = new WaitRegistry()
  new WaitLog(waits, log.logger)
  const directory = new TopicDirectory({
    transport: cluster,
    policy: compileTopicPolicy(topics),
    metadataRetry: {
      retries: 64,
      minTimeoutMs: 50,
      maxTimeoutMs: 1000,
      factor: 2,
      // Each run the same; `schedule.test.ts` looks at the jitter.
      jitter: false,
      maxRetryTimeMs: 30_000,
      ...retry,
    },
    metadataMaxAgeMs: 300_000,
    metadataMaxIdleMs: 300_000,
    metadataRequestTimeoutMs: 3000,
    logger: log.logger,
    waits,
    observer: {
      ...silentObserver,
      topicWaited: (topic, outcome) => waited.push([topic, outcome]),
      topicCreated: (topic, by) => created.push([topic, by]),
      metadataRetried: (topic, error) => retried.push([topic, error]),
    },
  })
  return { cluster, directory, log, waited, created, retried }
}

export interface Seen {
  view?: TopicView
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at the fields of errors of many classes
  error?: any
}

/** The outcome of a wait that may still be open. */
export const watch = (wait: Promise<TopicView>): Seen => {
  const seen: Seen = {}
  wait.then(
    view => {
      seen.view = view
    },
    error => {
      seen.error = error
    },
  )
  return seen
}

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** Closes a directory and makes sure that nothing of it goes on. */
export const end = async (directory: TopicDirectory): Promise<void> => {
  directory.close(new Error('the test has ended'))
  await pass(20_000)
  expect(directory.waitingTopics).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
}
