import { asError } from '../util/realms.js'
import type { ApiName } from './apis/names.js'
import { type RequestOf, type ResponseOf, served } from './apis/registry.js'
import { type CheckOptions, checkDelivery, type DeliveryReport, type SentRecord } from './checks/check.js'
import { type Isolation, readPartition, type StoredRecord } from './checks/records.js'
import { UnhandledRejections } from './checks/rejections.js'
import { type Fault, type FaultOptions, FaultScripts } from './faults/script.js'
import { Gate } from './gate.js'
import { Journal } from './journal.js'
import { brokerModel } from './model/brokerModel.js'
import type { BrokerContext } from './net/connection.js'
import { Listener } from './net/listener.js'
import type { EmbeddedKafkaOptions, TopicSpec } from './options.js'
import type { TopicOperation } from './state/acl.js'
import { ClusterState } from './state/cluster.js'

/** For clients whose `disconnect()` has resolved though their sockets are not closed at this end yet. */
const CLOSE_PATIENCE_MS = 500

/** The faults that fit an API; those for '*' know no message types. */
export type FaultFor<N extends ApiName | '*'> = N extends ApiName ? Fault<RequestOf<N>, ResponseOf<N>> : Fault

/** What a cluster found wrong when it closed. `errors` has each finding. */
export class EmbeddedKafkaError extends AggregateError {
  override readonly name = 'EmbeddedKafkaError'

  constructor(findings: Error[]) {
    super(findings, `the embedded cluster closed with ${findings.map(each => each.message).join('; ')}`)
  }
}

/**
 * An in-process Kafka cluster: real brokers' protocol over real TCP on the loopback address, with logs in memory,
 * faults on command and a journal of every request.
 */
export class EmbeddedKafka {
  /** Every request the brokers read. */
  readonly journal: Journal
  private readonly state: ClusterState
  private readonly faults = new FaultScripts()
  private readonly pauses = new Map<number, Gate>()
  private readonly defects: Error[] = []
  private readonly report = (error: unknown): void => {
    this.defects.push(asError(error))
  }
  private readonly rejections = new UnhandledRejections(this.report)
  private readonly listeners: readonly Listener[]
  private closing: Promise<void> | undefined

  private constructor(options: EmbeddedKafkaOptions) {
    this.journal = new Journal(options.journalLimit)
    this.state = new ClusterState(
      options,
      brokerModel(options, name => served[name].api),
    )
    let connections = 0
    const context: BrokerContext = {
      cluster: this.state,
      journal: this.journal,
      faults: this.faults,
      requiresSasl: options.listeners?.sasl !== undefined,
      pauseOf: node => this.pauses.get(node),
      nextConnectionId: () => ++connections,
      report: this.report,
    }
    this.rejections.listen()
    this.listeners = this.state.brokers.map(({ id }) => new Listener(context, id, options.listeners?.tls))
  }

  /**
   * Starts a cluster; all brokers accept connections when the promise resolves.
   *
   * @throws the listener's error when `basePort` is given and taken
   */
  static async start(options: EmbeddedKafkaOptions = {}): Promise<EmbeddedKafka> {
    const cluster = new EmbeddedKafka(options)
    try {
      for (const { id } of cluster.state.brokers) {
        await cluster.listen(id, options.basePort ? options.basePort + id : 0)
      }
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  /** `host:port` of every broker, stopped ones included. */
  get bootstrap(): string[] {
    return this.state.brokers.map(({ host, port }) => `${host}:${port}`)
  }

  /** The node id of the controller; -1 when no broker lives. */
  get controllerId(): number {
    return this.state.controllerId
  }

  /** A new gate, for the verbs `hold` and `holdAnswer` and for the auto-create model. */
  gate(): Gate {
    return new Gate()
  }

  /**
   * Scripts a fault for requests to come; they are used in the order they are given, those that stay last.
   *
   * @returns a function that removes it
   */
  on<N extends ApiName | '*'>(api: N, fault: FaultFor<N>, options: FaultOptions = {}): () => void {
    return this.faults.add(api, fault as unknown as Fault, options)
  }

  createTopic(name: string, spec: TopicSpec = {}): void {
    if (this.state.topics.has(name)) throw new Error(`topic ${name} exists already`)
    this.state.createTopic(name, spec)
  }

  deleteTopic(name: string): void {
    if (!this.state.deleteTopic(name)) throw new Error(`there is no topic ${name}`)
  }

  /** Deletes a topic and creates it again, empty and with a new topic id. */
  recreateTopic(name: string, spec: TopicSpec = {}): void {
    this.deleteTopic(name)
    this.state.createTopic(name, spec)
  }

  /** The names of all topics. */
  get topics(): string[] {
    return [...this.state.topics.keys()]
  }

  /** The leader of a partition; -1: none. */
  leaderOf(topic: string, partition: number): number {
    return this.state.partition(topic, partition).leader
  }

  /**
   * Makes another broker the leader, under the next leader epoch; -1 leaves the partition without one. The old leader
   * answers NOT_LEADER_OR_FOLLOWER from now on, with a hint to the new one from Produce version 10 on (KIP-951).
   */
  moveLeader(topic: string, partition: number, node: number): void {
    this.state.moveLeader(topic, partition, node)
  }

  /** Takes a topic, existing or not, out of one broker's sight: as before its metadata reached it. */
  hideTopic(topic: string, node: number): void {
    this.state.hide(topic, node)
  }

  showTopic(topic: string, node: number): void {
    this.state.show(topic, node)
  }

  /**
   * Denies operations on a topic, by default all.
   *
   * @returns a function that takes the denial back
   */
  deny(topic: string, operations?: readonly TopicOperation[]): () => void {
    return this.state.acl.deny(topic, operations)
  }

  /** Drops what a partition knows of its producers, as `producer.id.expiration.ms` does. */
  forgetProducers(topic: string, partition: number): void {
    this.state.partition(topic, partition).log.producers.forget()
  }

  /** Drops what a partition knows of its producers but the last batch of each, as a broker that was killed and started again. */
  forgetAllButLastBatch(topic: string, partition: number): void {
    this.state.partition(topic, partition).log.producers.forgetAllButLastBatch()
  }

  /**
   * Cuts the broker's connections and frees its port; requests it holds are not applied any more. Its partitions get
   * other leaders where replicas in sync live, or none.
   */
  async stopBroker(node: number): Promise<void> {
    this.state.brokerStopped(node)
    this.pauses.delete(node)
    await this.listeners[node]!.stop()
  }

  /** Starts a stopped broker on its old port. */
  async startBroker(node: number): Promise<void> {
    const broker = this.state.broker(node)
    if (broker.alive) throw new Error(`broker ${node} is running`)
    await this.listen(node, broker.port)
  }

  /**
   * Lets a broker stand still, as SIGSTOP does: it takes connections and bytes, and serves nothing until
   * {@link resumeBroker}. Its leaderships stay; {@link moveLeader} plays the election of another.
   */
  pauseBroker(node: number): void {
    this.state.broker(node)
    if (!this.pauses.has(node)) this.pauses.set(node, new Gate())
  }

  /** Lets a paused broker serve on, first what has come meanwhile. */
  resumeBroker(node: number): void {
    const pause = this.pauses.get(node)
    this.pauses.delete(node)
    pause?.open()
  }

  /** Cuts every connection to a broker, or to all; it goes on listening. */
  cutConnections(node?: number): void {
    for (const [id, listener] of this.listeners.entries())
      if (node === undefined || id === node) listener.cut()
  }

  /**
   * Loses the records of a partition from the batch that holds this offset on, acknowledged or not, as an unclean
   * leader election does.
   */
  loseRecords(topic: string, partition: number, fromOffset: number): void {
    this.state.partition(topic, partition).log.truncate(fromOffset)
  }

  /** The records of a topic in the order of their offsets, partition by partition. */
  records(topic: string, partition?: number, isolation: Isolation = 'uncommitted'): StoredRecord[] {
    const { partitions } = this.state.topics.get(topic) ?? { partitions: [] }
    const read = partition === undefined ? partitions : [this.state.partition(topic, partition)]
    return read.flatMap(each => readPartition(each, isolation))
  }

  /** Compares what was sent with the logs: see {@link checkDelivery}. */
  check(sent: Iterable<SentRecord>, options: CheckOptions = {}): DeliveryReport {
    const list = [...sent]
    const topics = new Set(list.map(({ topic }) => topic))
    return checkDelivery(
      list,
      [...topics].flatMap(topic => this.records(topic)),
      options,
    )
  }

  /**
   * Stops all brokers and releases what waits at gates.
   *
   * @param options.clients whether clients that are still connected are a finding: `must-be-gone` (default), as at the
   * end of a test, or `may-stay`
   * @throws {EmbeddedKafkaError} when scripted faults have times left, a client is still connected (a moment is left
   * for one that has just been closed), a fault function or the cluster itself failed, or a rejection was unhandled
   * since the start. Nothing stays open in any case.
   */
  close({
    clients = 'must-be-gone',
  }: {
    readonly clients?: 'must-be-gone' | 'may-stay'
  } = {}): Promise<void> {
    this.closing ??= this.shutDown(clients)
    return this.closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** How many clients stay connected though they had time to go. */
  private async lingering(): Promise<number> {
    const patience = AbortSignal.timeout(CLOSE_PATIENCE_MS)
    await Promise.all(this.listeners.map(listener => listener.idle(patience)))
    return this.listeners.reduce((sum, { openSockets }) => sum + openSockets, 0)
  }

  private async listen(node: number, port: number): Promise<void> {
    const broker = this.state.broker(node)
    broker.port = await this.listeners[node]!.start(broker.host, port)
    this.state.brokerStarted(node)
  }

  private async shutDown(clients: 'must-be-gone' | 'may-stay'): Promise<void> {
    const open = clients === 'must-be-gone' ? await this.lingering() : 0
    this.state.close()
    await Promise.all(this.listeners.map(listener => listener.stop()))
    // A rejection counts as unhandled at the end of the turn it happened in.
    await new Promise(resolve => setImmediate(resolve))
    this.rejections.stop()
    const findings = [
      ...this.faults.unused().map(line => new Error(line)),
      ...this.defects,
      ...(open > 0 ? [new Error(`${open} connections of clients still open`)] : []),
    ]
    if (findings.length > 0) throw new EmbeddedKafkaError(findings)
  }
}
