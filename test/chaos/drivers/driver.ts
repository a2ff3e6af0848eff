/** One record as an application offers it. */
export interface OfferedRecord {
  readonly topic: string
  /** Undefined: the client chooses. */
  readonly partition: number | undefined
  readonly key: Buffer | undefined
  readonly value: Buffer
  /** When the application gives the send up, in clients that can. ms */
  readonly patienceMs: number | undefined
}

/** Where a record was acknowledged; -1: the client does not tell. */
export interface Acknowledgement {
  readonly partition: number
  readonly offset: number
}

export interface Security {
  /** PEM */
  readonly ca: string
  readonly username: string
  readonly password: string
}

export interface DriverOptions {
  readonly brokers: readonly string[]
  /** Undefined: plain text. */
  readonly security?: Security
  /** Appends the client's own log there, where it has one that can be directed. */
  readonly logFile?: string
}

/** The one interface of all clients: one call a record, acknowledged by all in-sync replicas. */
export interface Driver {
  connect(): Promise<void>
  /** Rejects with whatever the client's call fails with. */
  send(record: OfferedRecord): Promise<Acknowledgement>
  /** New connections log in as this user; absent where a client's credentials cannot change. */
  useUser?(username: string): void
  close(): Promise<void>
}

export type OpenDriver = (options: DriverOptions) => Promise<Driver>

export const CLIENT_ID = 'chaos'

/** The same bound for every client that has one. ms */
export const DELIVERY_TIMEOUT_MS = 120_000
