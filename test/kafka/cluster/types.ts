/** A broker of a {@link KafkaCluster}: a process or a container that keeps its port and its log across restarts. */
export interface KafkaNode {
  readonly id: number
  /** `host:port` as clients reach it. */
  readonly address: string
  /** SIGKILL; resolves when the broker is gone. */
  kill(): Promise<void>
  /** Starts a killed broker again on the same port and the same log; resolves when it serves requests. */
  start(): Promise<void>
  /** Freezes the broker (its connections stay open, nothing answers). */
  pause(): Promise<void>
  resume(): Promise<void>
}

/** A real Kafka cluster of this test's own. */
export interface KafkaCluster {
  readonly kind: 'docker' | 'local'
  readonly bootstrap: readonly string[]
  readonly nodes: readonly KafkaNode[]
  /** Ends every broker and removes its data. Never throws for a broker that is gone already. */
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** Brokers, each controller and broker in one. Default 1. From 3 on: replication factor 3, min.insync.replicas 2. */
  readonly brokers?: number
  /** Broker settings over the defaults, e.g. `{ 'auto.create.topics.enable': 'false' }`. */
  readonly config?: Readonly<Record<string, string>>
  /** `quick-start` (the default) compiles little, for tests; `throughput` compiles fully and has 1 GiB of heap, for measurements. */
  readonly tuning?: 'quick-start' | 'throughput'
  /** Names the run that owns the cluster, so that {@link KafkaCluster}s of a run that crashed can be found and removed. Default: this process. */
  readonly owner?: number
}

/** Where brokers can be had from: what the run's setup found out, in a form that travels to the workers. */
export type ClusterSource =
  | { readonly kind: 'docker'; readonly image: string }
  | { readonly kind: 'local'; readonly version: string }
