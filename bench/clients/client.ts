/** The same headers in the shape of each client, made once: what an application makes them from is no client's cost. */
export interface PayloadHeaders {
  /** kafkajs, and who is like it. */
  readonly byName: Record<string, Buffer>
  /** node-rdkafka */
  readonly list: { [name: string]: Buffer }[]
  /** @platformatic/kafka */
  readonly map: Map<Buffer, Buffer>
}

/** A record as an application holds it; the message around it is made at the call. */
export interface Payload {
  readonly key: Buffer | undefined
  readonly value: Buffer
  readonly headers: PayloadHeaders | undefined
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
