import type { Admin, ITopicConfig } from 'kafkajs'
import { until } from '../cluster/wait.js'
import type { TestBroker } from '../testBroker.js'
import { leadersOf } from './logs.js'

/** A connected admin client of the test's own. */
export async function withAdmin<T>(broker: TestBroker, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = broker.helper().admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Creates topics and waits until each of their partitions has a leader. */
export async function createTopics(broker: TestBroker, ...topics: ITopicConfig[]): Promise<void> {
  // Waited for below: its own wait gives up when a broker has not heard of a topic yet.
  await withAdmin(broker, admin => admin.createTopics({ topics, waitForLeaders: false }))
  const names = topics.map(({ topic }) => topic)
  await until(
    `leaders of ${names.join(', ')}`,
    async () => {
      const leaders = await leadersOf(broker.bootstrap, names)
      const hasAll = topics.every(({ topic, numPartitions = 1 }) => {
        const known = leaders.filter(each => each.topic === topic && each.leader >= 0)
        return known.length >= Math.max(1, numPartitions)
      })
      return hasAll || undefined
    },
    { timeoutMs: 30_000 },
  )
}
