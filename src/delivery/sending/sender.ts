import type { Waiters } from '../../waits/wait.js'
import { BrokerLateness } from '../brokers/brokerLateness.js'
import { BrokerLink, type BrokerLinkOwner } from '../brokers/brokerLink.js'
import { BrokerStatus } from '../brokers/brokerStatus.js'
import { ShareGroup } from '../buffer/shares.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import { InFlightRequests, unanswered } from '../requests/inFlightRequests.js'
import { type ExchangeOwner, ProduceExchanges } from '../requests/produceExchanges.js'
import { ReadyPartitions } from './readyPartitions.js'
import type { SenderHost, SenderSettings } from './senderHost.js'

/** Sends the batches of the partitions that one broker leads. */
export class Sender implements Waiters, BrokerLinkOwner, ExchangeOwner {
  readonly nodeId: number
  private readonly host: SenderHost
  private readonly settings: SenderSettings
  private readonly queue: ReadyPartitions
  private readonly requests: InFlightRequests
  private readonly pace: BrokerLateness
  readonly status: BrokerStatus
  readonly share = new ShareGroup(false)
  private readonly connection: BrokerLink
  private readonly exchanges: ProduceExchanges
  private isThrottled = false
  private isReviewing = false
  private closed = false
  private scheduled = false
  /** The next connect attempt, the end of a throttle, or the earliest end of a linger or a backoff. */
  private wakeTimer: NodeJS.Timeout | undefined
  /** Those that went with acks 0 on this connection: nobody would say that their leader is another one. */
  private readonly unanswerableQueues = new Set<PartitionQueue>()

  constructor(nodeId: number, settings: SenderSettings, host: SenderHost) {
    this.nodeId = nodeId
    this.settings = settings
    this.host = host
    this.queue = new ReadyPartitions(settings)
    const { waits, observer } = host
    this.status = new BrokerStatus({ nodeId, waits, observer, waiters: this })
    this.requests = new InFlightRequests(nodeId, settings.stallMs, {
      suspect: silentMs => {
        if ((this.connection.link?.throttledForMs ?? 0) === 0) {
          this.setStuck(true)
          this.status.silent(silentMs)
        }
        // Those that wait as well: they would else be found out one round of requests after the other.
        host.suspect(this.waitingQueues, nodeId)
      },
      giveUp: error => {
        const { link } = this.connection
        this.exchanges.gaveUp(link)
        link?.destroy(error)
      },
      isAlive: () => host.isAlive(nodeId),
      successorOf: ({ sender }) => (sender === this ? undefined : sender?.nodeId),
    })
    this.pace = new BrokerLateness(this)
    this.connection = new BrokerLink(nodeId, settings, host, this)
    const { requests, pace, status } = this
    this.exchanges = new ProduceExchanges(settings, { host, requests, pace, status, owner: this })
  }

  get waitingSince(): number | undefined {
    return this.connection.openingSince ?? this.requests.oldestSentAt
  }

  get quickestMs(): number {
    return this.host.quickestMs()
  }

  get lateness(): number {
    return this.pace.lateness
  }

  get latencyMs(): number {
    return this.pace.latencyMs
  }

  get slowness(): number {
    return this.pace.latencyMs / this.pace.patienceMs
  }

  probe(): void {
    if (this.isConnected || this.closed || !this.connection.mayOpen) return
    this.open()
  }

  get inFlight(): number {
    return this.requests.count
  }

  get isConnected(): boolean {
    return this.connection.link?.isOpen === true
  }

  get isWaiting(): boolean {
    return this.status.isWaitedFor
  }

  /** Why records wait for this broker: what is known of it, a connection that is being made, or its silence. */
  get cause(): Error | undefined {
    const known = this.status.cause ?? this.host.pending(this.nodeId)
    const { oldestSentAt } = this.requests
    if (known !== undefined || oldestSentAt === undefined) return known
    return unanswered(this.nodeId, performance.now() - oldestSentAt)
  }

  /** The records that wait for this broker while anything does. */
  get waitingRecords(): number {
    let sum = 0
    for (const { batches } of this.waitingQueues) for (const { recordCount } of batches) sum += recordCount
    return sum
  }

  /** The queues whose batches are in flight to this broker, or wait to be. */
  private get waitingQueues(): Set<PartitionQueue> {
    const queues = this.requests.queues
    for (const queue of this.queue.all) if (queue.batches.length > 0) queues.add(queue)
    return queues
  }

  /** The queue may have something to send. */
  wake(queue: PartitionQueue): void {
    this.queue.add(queue)
    this.schedule()
  }

  /** The queue's partition has another leader now, or the queue is given back. */
  leave(queue: PartitionQueue): void {
    this.queue.remove(queue)
    this.unanswerableQueues.delete(queue)
    this.reviewWaits()
  }

  /** A partition with batches in flight here has another leader: once per turn, however many have (see {@link InFlightRequests.abandonIfDeposed}). */
  reviewDeposed(): void {
    if (this.isReviewing || this.requests.count === 0) return
    this.isReviewing = true
    setImmediate(() => {
      this.isReviewing = false
      if (!this.closed) this.requests.abandonIfDeposed()
    })
  }

  /** What nothing waits for any more is no wait. */
  private reviewWaits(): void {
    if (this.status.isWaitedFor && this.queue.isEmpty && this.requests.count === 0) this.status.abandoned()
  }

  setStuck(isStuck: boolean): void {
    if (this.share.isStuck !== isStuck) this.host.stuck(this.share, isStuck)
  }

  schedule(): void {
    if (this.scheduled || this.closed) return
    this.scheduled = true
    // On the next turn of the loop: what the current one still sends goes along.
    setImmediate(() => {
      this.scheduled = false
      this.drain()
    })
  }

  drain(): void {
    if (this.closed) return
    if (this.isThrottled) {
      this.isThrottled = false
      this.pace.usable()
    }
    if (this.queue.isEmpty) return this.reviewWaits()
    const { link } = this.connection
    if (link === undefined || !link.isOpen) {
      this.open()
      return
    }
    const now = performance.now()
    if (this.connection.notBefore > now) return this.wakeAt(this.connection.notBefore)
    if (link.throttledForMs > 0) {
      this.isThrottled = true
      this.pace.unusable()
      this.status.held(link.throttledForMs)
      return this.wakeAt(now + link.throttledForMs)
    }
    if (link.needsPreparation) {
      if (this.requests.count === 0) this.connection.prepare(link)
      return
    }
    while (this.requests.count < this.settings.maxInFlight && !this.queue.isEmpty) {
      const { inFlightBatches, unreadable, nextDue } = this.queue.collect(now, {
        inFlight: this.requests.count,
        mostPartitions: this.requests.share(now),
        targetBytes: this.exchanges.targetBytes(now),
        version: link.produceVersion,
      })
      for (const { queue, batch } of unreadable) this.host.unreadable(queue, batch)
      if (nextDue < Infinity) this.wakeAt(nextDue)
      if (inFlightBatches.length === 0) return this.reviewWaits()
      this.exchanges.send(link, inFlightBatches, now)
      if (this.connection.link !== link) return
    }
  }

  get isClosed(): boolean {
    return this.closed
  }

  unanswerable(queue: PartitionQueue): void {
    this.unanswerableQueues.add(queue)
  }

  /** A request was answered, or written where no answer comes. */
  requestAnswered(): void {
    this.connection.noteAnswered()
    this.requestEnded()
  }

  requestEnded(): void {
    if (this.queue.isEmpty) this.reviewWaits()
    else this.schedule()
  }

  private open(): void {
    if (this.closed) return
    const { connection } = this
    const now = performance.now()
    if (!connection.isBusy && connection.notBefore > now) return this.wakeAt(connection.notBefore)
    if (connection.open(now)) this.pace.asked()
  }

  /** While a connection is slow to be made, its broker may have been deposed. */
  connectingIsSlow(): void {
    this.setStuck(true)
    const { openingSince } = this.connection
    // It may be made for no record, or for some that have ended meanwhile.
    this.queue.prune()
    if (this.queue.isEmpty) this.reviewWaits()
    else if (openingSince !== undefined)
      this.status.connecting(performance.now() - openingSince, this.host.pending(this.nodeId))
    this.host.suspect(this.queue.all, this.nodeId)
  }

  connected(): void {
    this.pace.usable()
    this.status.connected()
  }

  disconnected(wasCurrent: boolean): void {
    if (wasCurrent) this.status.disconnected()
    // A broker can refuse a request that it must not answer in no other way.
    if (this.unanswerableQueues.size > 0 && !this.closed)
      this.host.suspect(this.unanswerableQueues, this.nodeId)
    this.unanswerableQueues.clear()
    if (!this.queue.isEmpty) this.schedule()
  }

  notConnected(error: Error & { retriable?: boolean }): void {
    this.pace.unusable()
    this.status.notConnected(error)
    this.setStuck(true)
    const queues = this.queue.all
    for (const { batches } of queues) {
      for (const batch of batches) if (batch.state !== 'inFlight') batch.noteCause(error)
    }
    const notBefore = this.connection.backOff()
    if (error.retriable === false) this.host.unusable(queues, error)
    else this.host.suspect(queues, this.nodeId)
    // Their records may have ended meanwhile: then nobody needs this connection.
    this.queue.prune()
    this.reviewWaits()
    if (!this.queue.isEmpty) this.wakeAt(notBefore)
  }

  notPrepared(error: Error): void {
    this.status.notConnected(error)
    this.reviewWaits()
  }

  private wakeAt(moment: number): void {
    if (this.wakeTimer !== undefined) clearTimeout(this.wakeTimer)
    this.wakeTimer = setTimeout(
      () => {
        this.wakeTimer = undefined
        this.drain()
      },
      Math.max(1, Math.ceil(moment - performance.now())),
    )
  }

  close(error: Error): void {
    this.closed = true
    clearTimeout(this.wakeTimer)
    this.requests.close()
    this.pace.close()
    this.connection.close(error)
    this.status.abandoned()
  }
}
