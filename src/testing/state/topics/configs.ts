/** What DescribeConfigs says about one setting. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly source: number
  readonly type: number
}

/** Where a value comes from (DescribeConfigsResponse.ConfigSource). */
export const CONFIG_SOURCE = { topic: 1, broker: 4, default: 5 } as const
/** The type of a value (DescribeConfigsResponse.ConfigType). */
const TYPE = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const

interface Setting {
  readonly type: number
  readonly default: string
  /** The broker's setting that a topic without its own value follows. */
  readonly follows?: string
}

const BROKER_SETTINGS: Record<string, Setting> = {
  'auto.create.topics.enable': { type: TYPE.boolean, default: 'true' },
  'num.partitions': { type: TYPE.int, default: '1' },
  'default.replication.factor': { type: TYPE.int, default: '1' },
  'min.insync.replicas': { type: TYPE.int, default: '1' },
  'message.max.bytes': { type: TYPE.int, default: '1048588' },
  'socket.request.max.bytes': { type: TYPE.int, default: '104857600' },
  'delete.topic.enable': { type: TYPE.boolean, default: 'true' },
  'compression.type': { type: TYPE.string, default: 'producer' },
  'log.message.timestamp.type': { type: TYPE.string, default: 'CreateTime' },
  'log.message.timestamp.before.max.ms': { type: TYPE.long, default: '9223372036854775807' },
  'log.message.timestamp.after.max.ms': { type: TYPE.long, default: '9223372036854775807' },
  'log.retention.ms': { type: TYPE.long, default: '604800000' },
  'log.retention.bytes': { type: TYPE.long, default: '-1' },
  'log.segment.bytes': { type: TYPE.int, default: '1073741824' },
  'log.cleanup.policy': { type: TYPE.list, default: 'delete' },
  'unclean.leader.election.enable': { type: TYPE.boolean, default: 'false' },
  'group.initial.rebalance.delay.ms': { type: TYPE.int, default: '0' },
  'group.min.session.timeout.ms': { type: TYPE.int, default: '1' },
  'group.max.session.timeout.ms': { type: TYPE.int, default: '1800000' },
  'transaction.max.timeout.ms': { type: TYPE.int, default: '900000' },
}

const TOPIC_SETTINGS: Record<string, Setting> = {
  'cleanup.policy': { type: TYPE.list, default: 'delete', follows: 'log.cleanup.policy' },
  'compression.type': { type: TYPE.string, default: 'producer', follows: 'compression.type' },
  'max.message.bytes': { type: TYPE.int, default: '1048588', follows: 'message.max.bytes' },
  'min.insync.replicas': { type: TYPE.int, default: '1', follows: 'min.insync.replicas' },
  'message.timestamp.type': {
    type: TYPE.string,
    default: 'CreateTime',
    follows: 'log.message.timestamp.type',
  },
  'message.timestamp.before.max.ms': {
    type: TYPE.long,
    default: '9223372036854775807',
    follows: 'log.message.timestamp.before.max.ms',
  },
  'message.timestamp.after.max.ms': {
    type: TYPE.long,
    default: '9223372036854775807',
    follows: 'log.message.timestamp.after.max.ms',
  },
  'retention.ms': { type: TYPE.long, default: '604800000', follows: 'log.retention.ms' },
  'retention.bytes': { type: TYPE.long, default: '-1', follows: 'log.retention.bytes' },
  'segment.bytes': { type: TYPE.int, default: '1073741824', follows: 'log.segment.bytes' },
  'segment.ms': { type: TYPE.long, default: '604800000' },
  'delete.retention.ms': { type: TYPE.long, default: '86400000' },
  'file.delete.delay.ms': { type: TYPE.long, default: '60000' },
  'flush.messages': { type: TYPE.long, default: '9223372036854775807' },
  'flush.ms': { type: TYPE.long, default: '9223372036854775807' },
  'index.interval.bytes': { type: TYPE.int, default: '4096' },
  'max.compaction.lag.ms': { type: TYPE.long, default: '9223372036854775807' },
  'min.cleanable.dirty.ratio': { type: TYPE.double, default: '0.5' },
  'min.compaction.lag.ms': { type: TYPE.long, default: '0' },
  preallocate: { type: TYPE.boolean, default: 'false' },
  'segment.index.bytes': { type: TYPE.int, default: '10485760' },
  'segment.jitter.ms': { type: TYPE.long, default: '0' },
  'unclean.leader.election.enable': {
    type: TYPE.boolean,
    default: 'false',
    follows: 'unclean.leader.election.enable',
  },
}

export type ConfigValues = Readonly<Record<string, string>>

/** What a value must look like, in Kafka's words; undefined when it is valid. */
const invalidValueReason = (name: string, value: string, setting: Setting): string | undefined => {
  const { type } = setting
  const wrong = (what: string) => `Invalid value ${value} for configuration ${name}: ${what}`
  if ((type === TYPE.int || type === TYPE.long) && !/^-?\d+$/.test(value)) {
    return wrong(`Not a number of type ${type === TYPE.int ? 'INT' : 'LONG'}`)
  }
  if (type === TYPE.boolean && !/^(true|false)$/i.test(value)) {
    return wrong('Expected value to be either true or false')
  }
  if (type === TYPE.double && (value === '' || Number.isNaN(Number(value)))) {
    return wrong('Not a number of type DOUBLE')
  }
  return undefined
}

/** Why a topic cannot have this setting; undefined when it can. */
export const invalidTopicConfigReason = (name: string, value: string | null): string | undefined => {
  const setting = TOPIC_SETTINGS[name]
  if (!setting) return `Unknown topic config name: ${name}`
  if (value === null) return `Null value not supported for topic configs: ${name}`
  return invalidValueReason(name, value, setting)
}

/** The settings of one broker: its own values over Kafka's defaults. */
export class BrokerConfig {
  private readonly own: ConfigValues

  constructor(own: ConfigValues) {
    this.own = own
  }

  get(name: string): string {
    const value = this.own[name] ?? BROKER_SETTINGS[name]?.default
    if (value === undefined) throw new Error(`unknown broker setting ${name}`)
    return value
  }

  number(name: string): number {
    return Number(this.get(name))
  }

  /** Every setting, or those named, as DescribeConfigs lists them. */
  describe(names: readonly string[] | null): ConfigEntry[] {
    const all = { ...BROKER_SETTINGS }
    for (const name of Object.keys(this.own)) all[name] ??= { type: TYPE.string, default: '' }
    return Object.entries(all)
      .filter(([name]) => names === null || names.includes(name))
      .map(([name, { type }]) => ({
        name,
        value: this.get(name),
        readOnly: true,
        source: name in this.own ? CONFIG_SOURCE.broker : CONFIG_SOURCE.default,
        type,
      }))
  }
}

/** The settings of one topic: its own values, else the broker's, else Kafka's defaults. */
export class TopicConfig {
  private own: ConfigValues
  private readonly broker: BrokerConfig

  constructor(own: ConfigValues, broker: BrokerConfig) {
    this.own = own
    this.broker = broker
  }

  get values(): ConfigValues {
    return this.own
  }

  replace(own: ConfigValues): void {
    this.own = own
  }

  get(name: string): string {
    const setting = TOPIC_SETTINGS[name]
    if (!setting) throw new Error(`unknown topic setting ${name}`)
    return this.own[name] ?? (setting.follows ? this.broker.get(setting.follows) : setting.default)
  }

  number(name: string): number {
    return Number(this.get(name))
  }

  describe(names: readonly string[] | null): ConfigEntry[] {
    return Object.entries(TOPIC_SETTINGS)
      .filter(([name]) => names === null || names.includes(name))
      .map(([name, { type }]) => ({
        name,
        value: this.get(name),
        readOnly: false,
        source: name in this.own ? CONFIG_SOURCE.topic : CONFIG_SOURCE.default,
        type,
      }))
  }
}
