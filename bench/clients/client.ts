/** A record as an application holds it; each client is given it in its own shape, made at the call. */
export interface Payload {
  readonly key: Buffer | undefined
  readonly value: Buffer
  readonly headers: readonly (readonly [name: string, value: Buffer])[] | undefined
}

/** Told how records end; `count` of one `submit` or `submitArray` comes at once. */
export interface Sink {
  onDelivered(count: number): void
  onFailed(count: number, error: unknown): void
}

export interface ClientOptions {
  readonly brokers: string[]
  readonly idempotent: boolean
  readonly compression: Compression
  /** Settings in the client's own words, over its defaults. */
  readonly settings: Readonly<Record<string, unknown>>
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** The one driver interface of all clients in Node. acks is `all` everywhere. */
export interface Client {
  connect(): Promise<void>
  /** Hands one record over in the client's fastest usual way of one call a record; its end is told to the sink. */
  submit(topic: string, record: Payload): void
  /** One call with many records of one topic. */
  submitArray(topic: string, records: readonly Payload[]): void
  /** One record whose end is awaited. */
  send(topic: string, record: Payload): Promise<void>
  close(): Promise<void>
  /** Metadata requests made so far, where the client tells. */
  metadataRequests?(): Promise<number>
}

export type OpenClient = (options: ClientOptions, sink: Sink) => Promise<Client>
