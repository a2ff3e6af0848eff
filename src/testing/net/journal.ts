import type { ApiName } from '../model/apiNames.js'

/** How a request ended, as the broker saw it. */
export interface Answer {
  /** When, in ms on the clock of `performance.now()`. */
  readonly at: number
  /** `dropped`: the connection was cut instead; `none`: nothing was sent (acks 0, a hang, a closed connection). */
  readonly outcome: 'answered' | 'dropped' | 'none'
  /** The distinct error codes in the response, 0 included. */
  readonly errorCodes: readonly number[]
}

/** One request as a broker read it. */
export interface JournalEntry {
  /** When, in ms on the clock of `performance.now()`. */
  readonly at: number
  /** The node id of the broker that read it. */
  readonly node: number
  /** The client id of the request's header. */
  readonly clientId: string | null
  /** Which API was called. */
  readonly api: ApiName
  /** In which version of the API. */
  readonly version: number
  /** The correlation id of the request's header. */
  readonly correlationId: number
  /** Counts the connections of the cluster, from 1. */
  readonly connectionId: number
  /** The topics the request names; null: all topics; undefined: an API without topics. */
  readonly topics?: readonly string[] | null
  /** Metadata only; true for versions 0-3, which always create. */
  readonly allowAutoTopicCreation?: boolean
  /** The decoded request. */
  readonly body: unknown
  /** How it ended; undefined while the request is being served. */
  answered?: Answer
}

/**
 * Every request that the cluster's brokers read, in the order they were read.
 *
 * @example
 * const produced = cluster.journal.of('Produce').length
 */
export class Journal {
  /** The requests, oldest first. */
  readonly entries: JournalEntry[] = []
  private readonly limit: number
  private readonly waiting = new Set<() => void>()

  /**
   * Made by the cluster.
   *
   * @param limit - how many entries are kept at least; from twice as many on the oldest are dropped
   */
  constructor(limit = Infinity) {
    this.limit = limit
  }

  /**
   * The requests of one API.
   *
   * @example cluster.journal.of('Metadata').map(({ topics }) => topics)
   */
  of(api: ApiName): JournalEntry[] {
    return this.entries.filter(entry => entry.api === api)
  }

  /**
   * Metadata requests that asked for all topics (null, or an empty array in version 0).
   *
   * @example cluster.journal.allTopicsRequests().length // 0
   */
  allTopicsRequests(): JournalEntry[] {
    return this.of('Metadata').filter(entry => entry.topics === null)
  }

  /**
   * Forgets all entries.
   *
   * @example cluster.journal.clear()
   */
  clear(): void {
    this.entries.length = 0
  }

  /**
   * Resolves when the journal shows what a test waits for: looked at now, and on each request and each answer.
   *
   * @throws what `shows` throws
   * @example
   * const { journal } = cluster
   * await journal.until(() => journal.of('Produce').length === 3)
   */
  async until(shows: () => boolean): Promise<void> {
    if (shows()) return
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        try {
          if (!shows()) return
          resolve()
        } catch (error) {
          reject(error)
        }
        this.waiting.delete(look)
      }
      this.waiting.add(look)
    })
  }

  /** @internal Called by the brokers. */
  arrived(entry: JournalEntry): void {
    this.entries.push(entry)
    if (this.entries.length >= 2 * this.limit) this.entries.splice(0, this.entries.length - this.limit)
    this.look()
  }

  /** @internal Called by the brokers. */
  ended(entry: JournalEntry, answer: Answer): void {
    entry.answered = answer
    this.look()
  }

  private look(): void {
    for (const look of [...this.waiting]) look()
  }
}

/** Collects the distinct values of every `errorCode` in a response. */
export const errorCodesIn = (response: unknown): number[] => {
  const codes = new Set<number>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) visit(each)
    else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) {
      for (const [name, field] of Object.entries(value)) {
        if (name === 'errorCode' && typeof field === 'number') codes.add(field)
        else if (typeof field === 'object') visit(field)
      }
    }
  }
  visit(response)
  return [...codes]
}
