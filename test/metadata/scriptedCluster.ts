import kafkajs from 'kafkajs'
import { type Api, decodeBody, decodeResponse, encodeBody } from '../../src/protocol/api.js'
import type { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import type { describeConfigsApi } from '../../src/protocol/messages/describeConfigs.js'
import type { metadataApi } from '../../src/protocol/messages/metadata.js'
import { type Decoded, type Encodable, ZERO_UUID } from '../../src/protocol/wire/codec.js'
import { Reader } from '../../src/protocol/wire/reader.js'
import { Writer } from '../../src/protocol/wire/writer.js'
import type { BrokerAddress, ControlAnswer, ControlOptions, ControlTarget } from '../../src/transport/port.js'

export type MetadataRequest = Decoded<typeof metadataApi.request>
export type MetadataAnswer = Encodable<typeof metadataApi.response>
export type CreateTopicsRequest = Decoded<typeof createTopicsApi.request>
export type CreateTopicsAnswer = Encodable<typeof createTopicsApi.response>
export type DescribeConfigsRequest = Decoded<typeof describeConfigsApi.request>
export type DescribeConfigsAnswer = Encodable<typeof describeConfigsApi.response>

interface Handlers {
  Metadata: (request: MetadataRequest, node: number) => MetadataAnswer | Promise<MetadataAnswer>
  CreateTopics: (
    request: CreateTopicsRequest,
    node: number,
  ) => CreateTopicsAnswer | Promise<CreateTopicsAnswer>
  DescribeConfigs: (
    request: DescribeConfigsRequest,
    node: number,
  ) => DescribeConfigsAnswer | Promise<DescribeConfigsAnswer>
}

export interface Asked {
  readonly names: readonly string[]
  readonly create: boolean
  readonly node: number
  readonly target: ControlTarget
  /** performance.now() */
  readonly at: number
}

/** What `missing` says of a topic that is not there: an error code, or nothing when it exists from now on. */
export type Missing = (name: string, create: boolean, node: number) => number | undefined

export const brokerAt = (nodeId: number): BrokerAddress => ({
  nodeId,
  host: '127.0.0.1',
  port: 9000 + nodeId,
  rack: null,
})

/**
 * A cluster behind the transport's port, without sockets: every request and answer goes through the real codecs, and
 * every metadata request is kept.
 */
export class ScriptedCluster {
  versions = { Metadata: 12, CreateTopics: 7, DescribeConfigs: 4 }
  brokers: BrokerAddress[] = [brokerAt(1), brokerAt(2), brokerAt(3)]
  controllerId = 1
  readonly topics = new Map<string, { topicId: string; partitions: { leader: number; epoch: number }[] }>()
  readonly metadata: Asked[] = []
  readonly creations: CreateTopicsRequest[] = []
  readonly creationNodes: number[] = []
  readonly probes: { readonly node: number; readonly request: DescribeConfigsRequest }[] = []
  readonly setBrokersCalls: (readonly BrokerAddress[])[] = []
  /** Metadata requests that are being answered. */
  concurrent = 0
  mostConcurrent = 0
  autoCreate = 'true'
  missing: Missing = () => 3
  /** Runs before each metadata answer: throw to fail it, await to hold it. */
  beforeMetadata: (asked: Asked) => void | Promise<void> = () => {}
  readonly handlers: Handlers = {
    Metadata: (request, node) => this.describe(request, node),
    CreateTopics: request => this.create(request),
    DescribeConfigs: request => this.config(request),
  }

  addTopic(
    name: string,
    { partitions = 1, leader = 1, epoch = 0, topicId = idOf(name) }: Partial<NewTopic> = {},
  ): void {
    this.topics.set(name, {
      topicId,
      partitions: Array.from({ length: partitions }, () => ({ leader, epoch })),
    })
  }

  pending(): Error | undefined {
    return undefined
  }

  setBrokers(brokers: readonly BrokerAddress[]): void {
    this.setBrokersCalls.push(brokers)
  }

  async control<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
    { target }: ControlOptions,
    maxVersion = api.maxVersion,
  ): Promise<ControlAnswer<Response>> {
    const name = api.name as keyof Handlers
    const version = Math.min(maxVersion, this.versions[name])
    const request = this.#received(api, version, body(version))
    const node = this.#nodeFor(target)
    const answer = await this.#answer(name, request, node, target)
    const writer = new Writer()
    if (version >= api.flexibleFrom) writer.uvarint(0)
    const payload = Buffer.concat([
      writer.finish(),
      encodeBody(api, api.response as never, version, answer as never),
    ])
    return { response: decodeResponse(api, version, payload), version, nodeId: node }
  }

  /** As a broker answers. */
  describe(request: MetadataRequest, node: number): MetadataAnswer {
    const topics = (request.topics ?? []).map(({ name }) => {
      const code = this.topics.has(name!)
        ? undefined
        : this.missing(name!, request.allowAutoTopicCreation, node)
      if (code !== undefined) return { errorCode: code, name, partitions: [] }
      if (!this.topics.has(name!)) this.addTopic(name!)
      const { topicId, partitions } = this.topics.get(name!)!
      return {
        errorCode: 0,
        name,
        topicId,
        partitions: partitions.map(({ leader, epoch }, partitionIndex) => ({
          errorCode: leader < 0 ? 5 : 0,
          partitionIndex,
          leaderId: leader,
          leaderEpoch: epoch,
          replicaNodes: [1],
          isrNodes: [1],
        })),
      }
    })
    return { brokers: this.brokers, controllerId: this.controllerId, clusterId: 'c', topics }
  }

  create(request: CreateTopicsRequest): CreateTopicsAnswer {
    return {
      topics: request.topics.map(({ name, numPartitions }) => {
        if (this.topics.has(name)) return { name, errorCode: 36, errorMessage: null }
        if (!request.validateOnly) this.addTopic(name, { partitions: Math.max(1, numPartitions) })
        return { name, errorCode: 0, errorMessage: null }
      }),
    }
  }

  config({ resources }: DescribeConfigsRequest): DescribeConfigsAnswer {
    const { resourceType, resourceName } = resources[0]!
    return {
      throttleTimeMs: 0,
      results: [
        {
          errorCode: 0,
          errorMessage: null,
          resourceType,
          resourceName,
          configs: [
            {
              name: 'auto.create.topics.enable',
              value: this.autoCreate,
              readOnly: true,
              isSensitive: false,
            },
          ],
        },
      ],
    }
  }

  /** What was asked for, without the brokers-only requests. */
  get asked(): readonly Asked[] {
    return this.metadata.filter(each => each.names.length > 0)
  }

  #received<ReqIn>(api: Api<unknown, ReqIn, unknown, never>, version: number, body: ReqIn): unknown {
    const bytes = encodeBody(api, api.request, version, body)
    return decodeBody(api, api.request as never, version, new Reader(bytes))
  }

  #nodeFor(target: ControlTarget): number {
    if ('node' in target) return target.node
    if ('at' in target) return target.at.nodeId
    const usable = this.brokers.filter(each => each.nodeId !== target.anyBut)
    return (usable[0] ?? this.brokers[0]!).nodeId
  }

  async #answer(
    name: keyof Handlers,
    request: unknown,
    node: number,
    target: ControlTarget,
  ): Promise<unknown> {
    if (name === 'CreateTopics') {
      this.creations.push(request as CreateTopicsRequest)
      this.creationNodes.push(node)
      return await this.handlers.CreateTopics(request as CreateTopicsRequest, node)
    }
    if (name === 'DescribeConfigs') {
      this.probes.push({ node, request: request as DescribeConfigsRequest })
      return await this.handlers.DescribeConfigs(request as DescribeConfigsRequest, node)
    }
    const { topics, allowAutoTopicCreation } = request as MetadataRequest
    if (topics === null) throw new Error('a metadata request asked for all topics')
    const names = topics.map(each => each.name!)
    const asked: Asked = { names, create: allowAutoTopicCreation, node, target, at: performance.now() }
    this.metadata.push(asked)
    this.mostConcurrent = Math.max(this.mostConcurrent, ++this.concurrent)
    try {
      await this.beforeMetadata(asked)
      return await this.handlers.Metadata(request as MetadataRequest, node)
    } finally {
      this.concurrent--
    }
  }
}

interface NewTopic {
  partitions: number
  leader: number
  epoch: number
  topicId: string
}

const idOf = (name: string): string =>
  name === '' ? ZERO_UUID : Buffer.from(name.padEnd(16, '_').slice(-16)).toString('hex')

export const connectionError = (): Error =>
  new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED', {
    broker: '127.0.0.1:1',
    code: 'ECONNREFUSED',
  })

export const saslError = (): Error =>
  new (kafkajs.KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error)(
    'SASL authentication failed',
  )

/** A promise to be settled by hand. */
export const gate = <T = void>() => {
  let open: (value: T) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { opened, open, fail }
}

/** A running clock for tests in which nothing stands still. */
export const performanceClock = {
  get now() {
    return performance.now()
  },
}
