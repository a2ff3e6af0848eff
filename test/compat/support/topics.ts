import type { ITopicConfig } from 'kafkajs'
import type { TestBroker } from '../../kafka/suite.js'
import { createTopics as create } from '../../kafka/support/admin.js'
import { readLogs } from '../../kafka/support/logs.js'

/** Creates topics, and waits until their leaders serve them: so that a request is counted once, and not with its retries. */
export async function createTopics(broker: TestBroker, ...topics: ITopicConfig[]): Promise<void> {
  await create(broker, ...topics)
  await served(broker, ...topics.map(({ topic }) => topic))
}

/** Waits until the leaders of all partitions answer for them. */
export async function served(broker: TestBroker, ...topics: string[]): Promise<void> {
  await readLogs(broker.bootstrap, topics)
}
