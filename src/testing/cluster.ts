import { Brokers } from './brokers.js'
import { type CheckOptions, checkDelivery, type DeliveryReport, type SentRecord } from './checks/check.js'
import { type Isolation, readPartition, type StoredRecord } from './checks/records.js'
import type { Fault, FaultFor, FaultOptions } from './faults/script.js'
import { Gate } from './gate.js'
import type { ApiName } from './model/apiNames.js'
import type { EmbeddedKafkaOptions, TopicSpec } from './model/options.js'
import { Journal } from './net/journal.js'
import type { TopicOperation } from './state/acl.js'
import type { ClusterState } from './state/cluster.js'

/**
 * A Kafka cluster inside the process: the brokers' protocol over TCP on the loopback address, with logs in memory, faults on command and a
 * journal of every request. For tests, not for anything that others can reach.
 *
 * @example
 * await using cluster = await EmbeddedKafka.start({ brokers: 3 })
 * const kafka = new ResilientKafka({ brokers: cluster.bootstrap })
 */
export class EmbeddedKafka {
  /** Every request that the brokers read. */
  readonly journal: Journal
  private readonly brokers: Brokers
  private readonly state: ClusterState
  private closing: Promise<void> | undefined

  private constructor(options: EmbeddedKafkaOptions) {
    this.journal = new Journal(options.journalLimit)
    this.brokers = new Brokers(options, this.journal)
    this.state = this.brokers.state
  }

  /**
   * Starts a cluster; all brokers accept connections when the promise resolves.
   *
   * @throws the listener's error when `basePort` is given and taken, and an Error on a `version` that cannot be played
   * @example const cluster = await EmbeddedKafka.start({ brokers: 3, autoCreate: false })
   */
  static async start(options: EmbeddedKafkaOptions = {}): Promise<EmbeddedKafka> {
    const cluster = new EmbeddedKafka(options)
    try {
      await cluster.brokers.startAll(options.basePort ?? 0)
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

  /**
   * A new gate, for the verbs `hold` and `holdAnswer` and for auto-creation.
   *
   * @example cluster.on('Produce', hold(cluster.gate()))
   */
  gate(): Gate {
    return new Gate()
  }

  /**
   * Scripts a fault for requests to come. Faults are used in the order in which they are given; those without a count come last.
   *
   * @returns a function that removes it
   * @example cluster.on('Produce', errorCode(ERROR.NOT_ENOUGH_REPLICAS), { times: 2, topic: 'orders' })
   */
  on<N extends ApiName | '*'>(api: N, fault: FaultFor<N>, options: FaultOptions = {}): () => void {
    return this.brokers.faults.add(api, fault as unknown as Fault, options)
  }

  /**
   * Creates a topic.
   *
   * @throws an Error when it exists
   * @example cluster.createTopic('orders', { partitions: 3 })
   */
  createTopic(name: string, spec: TopicSpec = {}): void {
    if (this.state.topics.has(name)) throw new Error(`topic ${name} exists already`)
    this.state.createTopic(name, spec)
  }

  /**
   * Deletes a topic and its records.
   *
   * @throws an Error when it does not exist
   * @example cluster.deleteTopic('orders')
   */
  deleteTopic(name: string): void {
    if (!this.state.deleteTopic(name)) throw new Error(`there is no topic ${name}`)
  }

  /**
   * Deletes a topic and creates it again, empty and with a new topic id (KIP-516).
   *
   * @throws an Error when it does not exist
   * @example cluster.recreateTopic('orders')
   */
  recreateTopic(name: string, spec: TopicSpec = {}): void {
    this.deleteTopic(name)
    this.state.createTopic(name, spec)
  }

  /** The names of all topics. */
  get topics(): string[] {
    return [...this.state.topics.keys()]
  }

  /**
   * The node id of a partition's leader; -1: it has none.
   *
   * @throws an Error when there is no such partition
   * @example cluster.leaderOf('orders', 0)
   */
  leaderOf(topic: string, partition: number): number {
    return this.state.partition(topic, partition).leader
  }

  /**
   * Makes another broker the leader, in the next leader epoch; -1 leaves the partition without a leader. The old leader answers
   * NOT_LEADER_OR_FOLLOWER from now on; from Produce version 10 on with a hint to the new one (KIP-951).
   *
   * @throws an Error when there is no such partition or broker
   * @example cluster.moveLeader('orders', 0, 1)
   */
  moveLeader(topic: string, partition: number, node: number): void {
    this.state.moveLeader(topic, partition, node)
  }

  /**
   * Hides a topic from one broker, whether it exists or not: as if its metadata had not reached the broker yet.
   *
   * @example cluster.hideTopic('orders', 0)
   */
  hideTopic(topic: string, node: number): void {
    this.state.hide(topic, node)
  }

  /**
   * Ends {@link hideTopic}.
   *
   * @example cluster.showTopic('orders', 0)
   */
  showTopic(topic: string, node: number): void {
    this.state.show(topic, node)
  }

  /**
   * Denies operations on a topic, all of them by default.
   *
   * @returns a function that takes the denial back
   * @example const allow = cluster.deny('orders', ['write'])
   */
  deny(topic: string, operations?: readonly TopicOperation[]): () => void {
    return this.state.acl.deny(topic, operations)
  }

  /**
   * Drops a partition's state of its producers, as `producer.id.expiration.ms` does.
   *
   * @example cluster.forgetProducers('orders', 0)
   */
  forgetProducers(topic: string, partition: number): void {
    this.state.partition(topic, partition).log.producers.forget()
  }

  /**
   * Drops a partition's state of its producers except the last batch of each, as a broker does that was killed and restarted.
   *
   * @example cluster.forgetAllButLastBatch('orders', 0)
   */
  forgetAllButLastBatch(topic: string, partition: number): void {
    this.state.partition(topic, partition).log.producers.forgetAllButLastBatch()
  }

  /**
   * Cuts the broker's connections and frees its port; requests that it holds are not applied. Its partitions get leaders among the live in-sync
   * replicas, or none.
   *
   * @example await cluster.stopBroker(0)
   */
  async stopBroker(node: number): Promise<void> {
    await this.brokers.stop(node)
  }

  /**
   * Starts a stopped broker on its old port.
   *
   * @throws an Error when it is running, and the listener's error when the port is taken
   * @example await cluster.startBroker(0)
   */
  async startBroker(node: number): Promise<void> {
    await this.brokers.start(node)
  }

  /**
   * Freezes a broker, as SIGSTOP does: it accepts connections and bytes, and serves nothing until {@link resumeBroker}. It stays the leader of
   * its partitions; {@link moveLeader} plays the election of another.
   *
   * @throws an Error when there is no such broker
   * @example cluster.pauseBroker(0)
   */
  pauseBroker(node: number): void {
    this.brokers.pause(node)
  }

  /**
   * Lets a paused broker continue, with what came in the meantime first.
   *
   * @example cluster.resumeBroker(0)
   */
  resumeBroker(node: number): void {
    this.brokers.resume(node)
  }

  /**
   * Cuts every connection to a broker, or to all of them. They keep listening.
   *
   * @example cluster.cutConnections()
   */
  cutConnections(node?: number): void {
    this.brokers.cut(node)
  }

  /**
   * Loses a partition's records from the batch with this offset on, acknowledged or not, as an unclean leader election does.
   *
   * @throws an Error when there is no such partition
   * @example cluster.loseRecords('orders', 0, 10)
   */
  loseRecords(topic: string, partition: number, fromOffset: number): void {
    this.state.partition(topic, partition).log.truncate(fromOffset)
  }

  /**
   * The records of a topic, partition by partition, in the order of their offsets; none where the topic does not exist.
   *
   * @param isolation - `committed` leaves out records of open and aborted transactions; `uncommitted` by default
   * @example cluster.records('orders', 0).map(({ value }) => value?.toString())
   */
  records(topic: string, partition?: number, isolation: Isolation = 'uncommitted'): StoredRecord[] {
    const { partitions } = this.state.topics.get(topic) ?? { partitions: [] }
    const read = partition === undefined ? partitions : [this.state.partition(topic, partition)]
    return read.flatMap(each => readPartition(each, isolation))
  }

  /**
   * Compares what was sent with the logs: see {@link checkDelivery}.
   *
   * @throws an Error when two sent records of a topic have one id
   * @example cluster.check([{ topic: 'orders', id: 'o-1' }]).assert()
   */
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
   * Stops all brokers and releases what waits at gates. `clients` says whether clients that are still connected are a finding: `must-be-gone`
   * (the default), as at the end of a test, or `may-stay`. Nothing stays open in any case.
   *
   * @throws {@link EmbeddedKafkaError} when a scripted fault was not used up, a client is still connected (one that has just been closed has
   *   500 ms), a fault's function or the cluster itself failed, or a rejection was unhandled since the start
   * @example await cluster.close()
   */
  close({
    clients = 'must-be-gone',
  }: {
    readonly clients?: 'must-be-gone' | 'may-stay'
  } = {}): Promise<void> {
    this.closing ??= this.brokers.close(clients)
    return this.closing
  }

  /**
   * Closes it, for `await using`.
   *
   * @throws as {@link close}
   * @example await using cluster = await EmbeddedKafka.start()
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
