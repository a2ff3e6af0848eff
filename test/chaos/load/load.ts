import { setTimeout as sleep } from 'node:timers/promises'
import type { Driver } from '../drivers/driver.js'
import { pick, type Random, seeded, whole } from '../random.js'
import { type FailureCount, Failures, outcomeIn } from './failures.js'
import { Ledger, type LedgerData } from './ledger.js'
import { type MemorySample, MemoryWatch } from './memoryWatch.js'
import { recordValue } from './recordValue.js'

export interface LoadPlan {
  readonly topics: readonly string[]
  /** Of every topic. */
  readonly partitions: number
  /** records/s, whatever the client makes of them */
  readonly ratePerSecond: number
  readonly valueBytes: number
  /** Sends that may be without an outcome: beyond it, records are held back and counted. */
  readonly window: number
  readonly seed: number
}

/** What a scenario may change while records are offered. */
export type LoadCommand =
  | { readonly change: 'rate'; readonly ratePerSecond: number }
  /** From here on records go to these too; the first `each` of each go at once. */
  | { readonly change: 'more topics'; readonly names: readonly string[]; readonly each: number }
  /** From here on no record goes to these. */
  | { readonly change: 'fewer topics'; readonly names: readonly string[] }
  /** From here on a send is given up after this time, by clients that can. Undefined: never. ms */
  | { readonly change: 'patience'; readonly patienceMs: number | undefined }
  /** New logins are this user's, in clients that can change it. */
  | { readonly change: 'user'; readonly username: string }

/** The load at one moment. */
export interface Snapshot {
  readonly offered: number
  readonly acknowledged: number
  readonly failed: number
  readonly inFlight: number
}

export interface LoadOutcome {
  readonly ledger: LedgerData
  readonly failures: readonly FailureCount[]
  /** Offers that the window held back. */
  readonly heldBack: number
  readonly memory: readonly MemorySample[]
  /** From the end of offering to the end of the last send. ms */
  readonly settledMs: number
  /** Undefined: the client closed. */
  readonly closeFailure?: string
}

const TICK_MS = 5
const CLOSE_MS = 45_000
const KEYS = 500
const KEYED_SHARE = 0.5
const PINNED_SHARE = 0.2

/**
 * Offers records at a steady rate, as arriving requests would: half with a key, a fifth to a partition of their own, the
 * rest for the client to place. A late tick makes up for the time it missed.
 */
export class Load {
  private readonly driver: Driver
  private readonly plan: LoadPlan
  private readonly random: Random
  private readonly ledger: Ledger
  private readonly failures = new Failures()
  private readonly memory: MemoryWatch
  private topics: string[]
  private rate: number
  private patienceMs: number | undefined
  private acknowledged = 0
  private heldBack = 0
  private running: Promise<void> | undefined
  private stopped = false

  constructor(driver: Driver, plan: LoadPlan) {
    this.driver = driver
    this.plan = plan
    this.random = seeded(plan.seed)
    this.topics = [...plan.topics]
    this.rate = plan.ratePerSecond
    this.ledger = new Ledger(plan.seed >>> 0, 1 << 16)
    this.memory = new MemoryWatch(
      () => this.ledger.bytes,
      () => this.inFlight,
    )
  }

  private get inFlight(): number {
    return this.ledger.count - this.acknowledged - this.failures.total
  }

  get snapshot(): Snapshot {
    const { acknowledged, inFlight } = this
    return { offered: this.ledger.count, acknowledged, failed: this.failures.total, inFlight }
  }

  start(): void {
    this.memory.start()
    this.running = this.offer()
  }

  obey(command: LoadCommand): void {
    switch (command.change) {
      case 'rate':
        this.rate = command.ratePerSecond
        return
      case 'more topics':
        this.topics.push(...command.names)
        for (let i = 0; i < command.each; i++) for (const name of command.names) this.send(name)
        return
      case 'fewer topics': {
        const gone = new Set(command.names)
        this.topics = this.topics.filter(name => !gone.has(name))
        return
      }
      case 'patience':
        this.patienceMs = command.patienceMs
        return
      case 'user':
        this.driver.useUser?.(command.username)
    }
  }

  /** Ends offering, and waits until every send has ended, but not longer than `settleMs`. */
  async finish(settleMs: number): Promise<LoadOutcome> {
    this.stopped = true
    await this.running
    const start = performance.now()
    while (this.inFlight > 0 && performance.now() - start < settleMs) await sleep(20)
    const settledMs = performance.now() - start
    this.memory.stop()
    // What ends during the close was not ended by the cluster.
    const ledger = this.ledger.data()
    const closeFailure = await this.close()
    return {
      ledger,
      failures: this.failures.counts,
      heldBack: this.heldBack,
      memory: this.memory.samples,
      settledMs,
      ...(closeFailure !== undefined && { closeFailure }),
    }
  }

  private async close(): Promise<string | undefined> {
    const timer = new AbortController()
    const late = sleep(CLOSE_MS, `did not close within ${CLOSE_MS} ms`, { signal: timer.signal })
    try {
      return await Promise.race([
        this.driver.close().then(
          () => undefined,
          (error: unknown) => `close: ${error instanceof Error ? error.message : String(error)}`,
        ),
        late,
      ])
    } finally {
      late.catch(() => undefined)
      timer.abort()
    }
  }

  private async offer(): Promise<void> {
    let due = 0
    let last = performance.now()
    while (!this.stopped) {
      const now = performance.now()
      due += ((now - last) * this.rate) / 1000
      last = now
      for (; due >= 1; due--) {
        if (this.inFlight < this.plan.window) this.send(pick(this.random, this.topics))
        else this.heldBack++
      }
      await sleep(TICK_MS)
    }
  }

  private send(topic: string): void {
    const { random, plan, ledger } = this
    const kind = random()
    const number = ledger.offer(topic, Date.now())
    const ended = (error: unknown): void => {
      ledger.fail(number, outcomeIn(error), Date.now())
      this.failures.add(error)
    }
    try {
      this.driver
        .send({
          topic,
          key: kind < KEYED_SHARE ? Buffer.from(`key-${whole(random, 0, KEYS)}`) : undefined,
          partition: kind >= 1 - PINNED_SHARE ? whole(random, 0, plan.partitions) : undefined,
          value: recordValue(ledger.tag, number, plan.valueBytes),
          patienceMs: this.patienceMs,
        })
        .then(({ partition, offset }) => {
          ledger.acknowledge(number, partition, offset, Date.now())
          this.acknowledged++
        }, ended)
    } catch (error) {
      // Whatever a client throws at the call is a failed send, too.
      ended(error)
    }
  }
}
