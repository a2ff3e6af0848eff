import kafkajs from 'kafkajs'

/** The versions of an API that a side speaks; undefined: it does not have the API. */
export type ApiRange = { readonly minVersion: number; readonly maxVersion: number } | undefined

export interface UnsupportedApiContext {
  readonly apiKey: number
  readonly apiName: string
  /** What this producer needs. */
  readonly needed: NonNullable<ApiRange>
  /** What the broker speaks. */
  readonly offered: ApiRange
  /** `host:port`; undefined: not known. */
  readonly broker?: string | undefined
}

const TRANSACTIONS =
  'Transactions need it (Kafka 0.11 or newer): remove transactionalId, or use other brokers.'

const REMEDIES: Readonly<Record<string, string>> = {
  ApiVersions: 'This producer needs Kafka 0.11 or newer: use newer brokers.',
  Produce: 'This producer needs Kafka 0.11 or newer: use newer brokers.',
  Metadata: 'This producer needs Kafka 0.11 or newer: use newer brokers.',
  InitProducerId: 'Set idempotent: false to send without a producer id, or use Kafka 0.11 or newer.',
  CreateTopics:
    "Create the topics beforehand, or let the brokers create them (topics: { create: 'broker' }).",
  FindCoordinator: TRANSACTIONS,
  AddPartitionsToTxn: TRANSACTIONS,
  AddOffsetsToTxn: TRANSACTIONS,
  TxnOffsetCommit: TRANSACTIONS,
  EndTxn: TRANSACTIONS,
}

const versions = ({ minVersion, maxVersion }: NonNullable<ApiRange>): string =>
  minVersion === maxVersion ? `version ${minVersion}` : `versions ${minVersion} to ${maxVersion}`

/**
 * A broker does not have an API, or has other versions of it than this producer: it is older than Kafka 0.11, or a service that does not offer
 * all of Kafka. A retry does not help. (ApiVersions, KIP-35)
 */
export class UnsupportedApiError extends kafkajs.KafkaJSServerDoesNotSupportApiKey {
  static override readonly name: string = 'UnsupportedApiError'
  override readonly name = 'UnsupportedApiError'
  /** The broker's address, as `host:port`; undefined where it is not known. */
  readonly broker: string | undefined
  /** The message without the remedy. */
  readonly problem: string

  constructor({ apiKey, apiName, needed, offered, broker }: UnsupportedApiContext) {
    const who = broker === undefined ? 'the broker' : `the broker ${broker}`
    const what =
      offered === undefined
        ? `does not have ${apiName}`
        : `speaks ${apiName} in ${versions(offered)}, not in ${versions(needed)}`
    const remedy = REMEDIES[apiName]
    const problem = `${who} ${what}`
    super(`T${problem.slice(1)}.${remedy === undefined ? '' : ` ${remedy}`}`, { apiKey, apiName })
    this.broker = broker
    this.problem = problem
  }
}
