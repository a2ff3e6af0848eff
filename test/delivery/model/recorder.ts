import type { RecordMetadata } from 'kafkajs'
import type { SentOutcome, SentRecord } from 'kafkajs-resilient-producer/testing'
import { expect } from 'vitest'
import type { World } from '../support/world.js'

/** One record as the application sees it. */
export interface Recorded {
  readonly topic: string
  readonly id: string
  /** How often it was told that it has ended. */
  ends: number
  outcome: SentOutcome | undefined
  partition: number | undefined
  offset: string | undefined
  error: Error | undefined
  /** How many requests the brokers had read when it was acknowledged. */
  journalAt: number
}

interface FailedPart {
  readonly messageIndexes: readonly number[]
  readonly topic: string
  readonly error: Error & { outcome?: SentOutcome }
}

/** What was sent, in order, and what became of it. */
export class Recorder {
  readonly records: Recorded[] = []
  private readonly world: World

  constructor(world: World) {
    this.world = world
  }

  add(topic: string): Recorded {
    const record: Recorded = {
      topic,
      id: `${this.records.length}`,
      ends: 0,
      outcome: undefined,
      partition: undefined,
      offset: undefined,
      error: undefined,
      journalAt: 0,
    }
    this.records.push(record)
    return record
  }

  get unended(): number {
    return this.records.filter(({ ends }) => ends === 0).length
  }

  acknowledged(record: Recorded, place: { partition?: number; offset?: string | undefined } = {}): void {
    record.ends++
    record.outcome = 'acknowledged'
    record.partition = place.partition
    // "-1": the broker only said that it has the record.
    record.offset = place.offset === '-1' ? undefined : place.offset
    record.journalAt = this.world.cluster.journal.entries.length
  }

  failed(record: Recorded, error: Error & { outcome?: SentOutcome }): void {
    record.ends++
    record.error = error
    // What is withdrawn or refused before it is sent says so; anything else has to.
    record.outcome = error.outcome ?? 'unknown'
    expect(error.outcome, `${error.name} says no outcome`).toBeDefined()
  }

  /** Follows the promise of a call with the records of one topic. */
  follow(promise: Promise<RecordMetadata[]>, records: readonly Recorded[]): void {
    promise.then(
      metadata => {
        if (records.length === 1) {
          const [first] = metadata
          this.acknowledged(records[0]!, {
            ...(first === undefined ? {} : { partition: first.partition, offset: first.baseOffset }),
          } as never)
        } else for (const record of records) this.acknowledged(record)
      },
      (error: Error) => this.rejected(error, records),
    )
  }

  private rejected(error: Error, records: readonly Recorded[]): void {
    if (error.name !== 'SendError') {
      for (const record of records) this.failed(record, error)
      return
    }
    const failures = new Map<Recorded, FailedPart['error']>()
    for (const { messageIndexes, topic, error: cause } of (error as unknown as { failed: FailedPart[] })
      .failed) {
      const ofTopic = records.filter(each => each.topic === topic)
      for (const index of messageIndexes) {
        expect(failures.has(ofTopic[index]!), 'a record failed twice in one error').toBe(false)
        failures.set(ofTopic[index]!, cause)
      }
    }
    for (const record of records) {
      const cause = failures.get(record)
      if (cause === undefined) this.acknowledged(record)
      else this.failed(record, cause)
    }
  }

  get sent(): SentRecord[] {
    return this.records.map(({ topic, id, outcome, partition, offset }) => ({
      topic,
      id,
      ...(outcome === undefined ? {} : { outcome }),
      ...(partition === undefined ? {} : { partition }),
      ...(offset === undefined ? {} : { offset }),
    }))
  }

  /** Requests that carried a record after its acknowledgement had been heard. */
  sentAgain(): string[] {
    const last = new Map<string, number>()
    const { entries } = this.world.cluster.journal
    const index = new Map(entries.map((entry, at) => [entry, at]))
    for (const { topic, ids, entry } of this.world.sentIds()) {
      for (const id of ids) last.set(`${topic} ${id}`, index.get(entry)!)
    }
    return this.records
      .filter(
        each =>
          each.outcome === 'acknowledged' && (last.get(`${each.topic} ${each.id}`) ?? -1) >= each.journalAt,
      )
      .map(({ topic, id }) => `${topic} ${id}`)
  }
}
