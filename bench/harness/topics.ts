import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, Kafka, logLevel } from 'kafkajs'

const withAdmin = async <T>(bootstrap: string, use: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = new Kafka({
    clientId: 'bench-admin',
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 500 },
  }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

export const listTopics = (bootstrap: string): Promise<string[]> => withAdmin(bootstrap, a => a.listTopics())

const LEADERS_TIMEOUT_MS = 60_000

const haveLeaders = async (admin: Admin, topics: readonly string[]): Promise<boolean> => {
  const described = await admin.fetchTopicMetadata({ topics: [...topics] })
  return described.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
}

/** Resolves when every partition has a leader. */
export const createTopics = (
  bootstrap: string,
  topics: readonly string[],
  partitions: number,
): Promise<void> =>
  withAdmin(bootstrap, async admin => {
    await admin.createTopics({
      // Its own wait gives up after a few tries on a KRaft broker that is still creating.
      waitForLeaders: false,
      topics: topics.map(topic => ({ topic, numPartitions: partitions, replicationFactor: 1 })),
    })
    const deadline = Date.now() + LEADERS_TIMEOUT_MS
    while (!(await haveLeaders(admin, topics).catch(() => false))) {
      if (Date.now() > deadline) throw new Error(`${topics.length} new topics have no leaders yet`)
      await sleep(50)
    }
  })

export const deleteTopics = (bootstrap: string, topics: readonly string[]): Promise<void> =>
  withAdmin(bootstrap, admin => admin.deleteTopics({ topics: [...topics] }))

/** Records in the topics, as their end offsets tell: topics of one run start at 0 and hold no transactions. */
export const recordsIn = (bootstrap: string, topics: readonly string[]): Promise<number> =>
  withAdmin(bootstrap, async admin => {
    let records = 0
    for (const topic of topics) {
      for (const { high } of await admin.fetchTopicOffsets(topic)) records += Number(high)
    }
    return records
  })
