import { setImmediate as nextTurn } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import {
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  type JournalEntry,
  type TopicSpec,
} from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { expect, type MockInstance, vi } from 'vitest'
import { BufferBudget } from '../../../src/delivery/buffer/bufferBudget.js'
import { decodeBatch } from '../../../src/protocol/records/decode.js'
import type { ProduceFault } from './faults.js'
import { batchesIn, type SentBatch, sentBatches, valuesOf } from './sentBatches.js'

export const TOPIC = 'events'

export interface LogLine {
  readonly level: string
  readonly message: string
}

/** A fault for the first requests that carry a record of this value. */
interface Rule {
  readonly value: string
  readonly fault: ProduceFault
  left: number
}

/** A cluster with producers on it; what every test of the engine asserts at its end is asserted by `end`. */
export class World {
  readonly cluster: EmbeddedKafka
  readonly log: LogLine[] = []
  private readonly producers: ResilientProducer[] = []
  private readonly registries = new Map<ResilientProducer, Registry>()
  private readonly rules: Rule[] = []
  private readonly next: ProduceFault[] = []
  private standing: ProduceFault | undefined
  private readonly budgets = new Set<BufferBudget>()
  private readonly spies: MockInstance[]
  private readonly warnings: string[] = []
  private readonly noteWarning = (warning: Error): void => {
    this.warnings.push(String(warning))
  }

  private constructor(cluster: EmbeddedKafka) {
    this.cluster = cluster
    process.on('warning', this.noteWarning)
    const { budgets } = this
    const take = BufferBudget.prototype.take
    const give = BufferBudget.prototype.give
    this.spies = [
      vi.spyOn(BufferBudget.prototype, 'take').mockImplementation(function (this: BufferBudget, ...taken) {
        take.apply(this, taken)
        budgets.add(this)
        if (this.usedBytes > this.limitBytes)
          throw new Error(`${this.usedBytes} bytes are held, ${this.limitBytes} are allowed`)
      }),
      vi.spyOn(BufferBudget.prototype, 'give').mockImplementation(function (this: BufferBudget, ...given) {
        give.apply(this, given)
        if (this.usedBytes < 0 || this.records < 0 || this.stuckBytes < 0)
          throw new Error('more was given back than taken')
      }),
    ]
    cluster.on('Produce', (request, next) => this.dispatch(request, next), { times: Infinity })
  }

  static async start(options: EmbeddedKafkaOptions = {}): Promise<World> {
    return new World(await EmbeddedKafka.start({ autoCreate: false, ...options }))
  }

  /** The clock goes on by itself, and jumps when a test says so: see {@link pass}. */
  static withClock(options: EmbeddedKafkaOptions = {}): Promise<World> {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'],
      shouldAdvanceTime: true,
    })
    return World.start(options)
  }

  private readonly dispatch: ProduceFault = (request, next) => {
    const values = new Set(batchesIn(request.body).flatMap(({ records }) => valuesOf(records)))
    const rule = this.rules.find(each => each.left > 0 && values.has(each.value))
    if (rule === undefined) {
      const fault = this.next.shift() ?? this.standing
      return fault === undefined ? next() : fault(request, next)
    }
    rule.left--
    return rule.fault(request, next)
  }

  /** The next requests that carry a record of this value meet the fault; rules for one value are used in order. */
  onRecord(value: string, fault: ProduceFault, times = 1): void {
    this.rules.push({ value, fault, left: times })
  }

  /** The next requests meet the fault, whatever they carry; faults are used in order. */
  onNext(fault: ProduceFault, times = 1): void {
    for (let i = 0; i < times; i++) this.next.push(fault)
  }

  /** Every request meets the fault that has no other. */
  onEach(fault: ProduceFault): void {
    this.standing = fault
  }

  /** Those with times left are not missed. */
  forgetRules(): void {
    this.rules.length = 0
    this.next.length = 0
  }

  topic(spec: TopicSpec = {}, name = TOPIC): void {
    this.cluster.createTopic(name, { partitions: 1, ...spec })
  }

  /** A producer that is not connected. */
  producer(options: ResilientProducerOptions = {}): ResilientProducer {
    const registry = new Registry()
    const kafka = new Kafka({
      brokers: this.cluster.bootstrap,
      clientId: 'under-test',
      logLevel: logLevel.DEBUG,
      logCreator:
        () =>
        ({ label, log }) =>
          this.log.push({ level: label, message: log.message }),
    })
    const producer = createResilientProducer(kafka, {
      metrics: { registry },
      retry: { minTimeoutMs: 1, maxTimeoutMs: 10 },
      metadataRetry: { minTimeoutMs: 1, maxTimeoutMs: 10 },
      ...options,
    })
    this.producers.push(producer)
    this.registries.set(producer, registry)
    return producer
  }

  async connect(options: ResilientProducerOptions = {}): Promise<ResilientProducer> {
    const producer = this.producer(options)
    await producer.connect()
    return producer
  }

  /** A producer that has had an acknowledgement for partition 0 of the topic. */
  async confirmed(options: ResilientProducerOptions = {}, topic = TOPIC): Promise<ResilientProducer> {
    const producer = await this.connect(options)
    await producer.send({ topic, messages: [{ value: 'first', partition: 0 }] })
    return producer
  }

  /** Work by kafkajs's own clients: what it makes Node warn of is its own affair. */
  async byKafkajs<T>(work: (kafka: Kafka) => Promise<T>): Promise<T> {
    const known = [...this.warnings]
    try {
      return await work(new Kafka({ brokers: this.cluster.bootstrap, logLevel: logLevel.NOTHING }))
    } finally {
      await nextTurn()
      this.warnings.splice(0, this.warnings.length, ...known)
    }
  }

  /** What a gauge or the sum of a counter shows. */
  async metric(producer: ResilientProducer, name: string): Promise<number> {
    const all = await this.registries.get(producer)!.getMetricsAsJSON()
    const found = all.find(each => each.name === `kafka_resilient_producer_${name}`)
    if (found === undefined) throw new Error(`there is no metric ${name}`)
    return (found.values as { value: number }[]).reduce((sum, { value }) => sum + value, 0)
  }

  /** Lets the loop turn until the gauge shows this; a test that waits in vain ends by its time limit. */
  async until(producer: ResilientProducer, name: string, value: number): Promise<void> {
    while ((await this.metric(producer, name)) !== value) await nextTurn()
  }

  sent(topic?: string): SentBatch[] {
    return sentBatches(this.cluster, topic)
  }

  /** The records' headers `id` in every batch that the brokers read. */
  sentIds(): { topic: string; ids: string[]; entry: JournalEntry }[] {
    return this.cluster.journal.of('Produce').flatMap(entry =>
      batchesIn(entry.body).map(({ topic, records }) => ({
        topic,
        entry,
        ids: decodeBatch(records).records.map(({ headers }) => String(headers[0]?.value)),
      })),
    )
  }

  /** The values in a topic's log, by offset. */
  stored(partition = 0, topic = TOPIC): string[] {
    return this.cluster.records(topic, partition).map(({ value }) => String(value))
  }

  /** Every rule was used, nothing is held any more, nothing was warned of, no connection is left. */
  async end(): Promise<void> {
    await Promise.all(this.producers.map(each => each.disconnect({ timeoutMs: 0 })))
    for (const spy of this.spies) spy.mockRestore()
    process.off('warning', this.noteWarning)
    await this.cluster.close()
    vi.useRealTimers()
    expect(this.rules.filter(({ left }) => left > 0).map(({ value }) => value)).toEqual([])
    for (const { usedBytes, records, stuckBytes, waitingBytes } of this.budgets)
      expect({ usedBytes, records, stuckBytes, waitingBytes }).toEqual({
        usedBytes: 0,
        records: 0,
        stuckBytes: 0,
        waitingBytes: 0,
      })
    expect(this.warnings).toEqual([])
    expect(this.log.filter(({ level }) => level === 'ERROR')).toEqual([])
  }
}

/** Several turns of the loop: what was handed over is written by then. */
export const turns = async (count = 5): Promise<void> => {
  for (let i = 0; i < count; i++) await nextTurn()
}

/** Jumps ahead on a world's own clock. ms */
export const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms)
  await turns()
}
