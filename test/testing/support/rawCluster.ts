import { createTopicsApi } from '../../../src/protocol/messages/createTopics.js'
import { deleteTopicsApi } from '../../../src/protocol/messages/deleteTopics.js'
import { LIST_OFFSETS_TIMESTAMP, listOffsetsApi } from '../../../src/protocol/messages/listOffsets.js'
import { metadataApi } from '../../../src/protocol/messages/metadata.js'
import { ZERO_UUID } from '../../../src/protocol/wire/codec.js'
import { RawClient } from './rawClient.js'
import { spec, type TopicSpec } from './refusedTopics.js'

/** A topic of one partition, and a connection to its leader. */
export interface Led {
  readonly topic: string
  readonly leader: RawClient
}

/** Raw requests to any cluster, embedded or real. */
export class RawCluster {
  /** A connection to the first of the addresses. */
  readonly client: RawClient
  private readonly clients: RawClient[] = []

  private constructor(client: RawClient) {
    this.client = client
  }

  static async connect(bootstrap: readonly string[]): Promise<RawCluster> {
    return new RawCluster(await RawClient.connect(bootstrap[0]!))
  }

  /** Another connection, until {@link closeOthers}. */
  async connect(address: string): Promise<RawClient> {
    const made = await RawClient.connect(address)
    this.clients.push(made)
    return made
  }

  async closeOthers(): Promise<void> {
    for (const each of this.clients.splice(0)) await each.close()
  }

  async close(): Promise<void> {
    await this.closeOthers()
    await this.client.close()
  }

  async create(topics: TopicSpec[], validateOnly = false) {
    return (await this.client.call(createTopicsApi, 7, { topics, timeoutMs: 5000, validateOnly }))!.topics
  }

  async delete(name: string) {
    const topics = [{ name, topicId: ZERO_UUID }]
    return (await this.client.call(deleteTopicsApi, 6, { topics, timeoutMs: 5000 }))!.responses[0]!
  }

  async ask(name: string, through = this.client, allowAutoTopicCreation = false) {
    const response = await through.call(metadataApi, 10, { topics: [{ name }], allowAutoTopicCreation })
    return { brokers: response!.brokers, topic: response!.topics[0]! }
  }

  /** The end of a topic's first partition, as its leader tells it. */
  async endOf({ topic, leader }: Led) {
    const partitions = [{ partitionIndex: 0, timestamp: LIST_OFFSETS_TIMESTAMP.latest }]
    const response = await leader.call(listOffsetsApi, 4, {
      replicaId: -1,
      topics: [{ name: topic, partitions }],
    })
    return response!.topics[0]!.partitions[0]!
  }

  /** Makes a topic of one partition and connects to its leader, once that one knows. */
  async lead(topic: string, configs: Record<string, string> = {}): Promise<Led> {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const [made] = await this.create([spec(topic, { configs: entries })])
    if (made?.errorCode !== 0) throw new Error(`${topic} could not be made: ${made?.errorMessage}`)
    for (;;) {
      const seen = await this.ask(topic)
      const partition = seen.topic.partitions[0]
      const address = seen.brokers.find(({ nodeId }) => nodeId === partition?.leaderId)
      if (!address) continue
      const led = { topic, leader: await this.connect(`${address.host}:${address.port}`) }
      // Its own view may be behind: only a leader that knows it is one tells the end of its log.
      while ((await this.endOf(led)).errorCode !== 0);
      return led
    }
  }
}
