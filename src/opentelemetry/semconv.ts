import type { Attributes, AttributeValue } from '@opentelemetry/api'
import { InvalidOptionsError } from '../errors/index.js'

const VARIABLE = 'OTEL_SEMCONV_STABILITY_OPT_IN'
const CATEGORY = 'messaging'

/** What version 1.45 of the conventions renamed; all other names are the same in both. */
const RENAMED = {
  system: { former: 'messaging.system', current: 'messaging.system.name' },
  key: { former: 'messaging.kafka.message.key', current: 'kafka.message.key' },
  tombstone: { former: 'messaging.kafka.message.tombstone', current: 'kafka.message.tombstone' },
  offset: { former: 'messaging.kafka.offset', current: 'kafka.offset' },
  clusterId: { former: 'messaging.kafka.cluster.id', current: 'kafka.cluster.id' },
} as const

/** Which semantic conventions spans and metrics follow. */
export interface SemanticConventionOptions {
  /**
   * Which semantic conventions for messaging are followed, in the form of the environment variable `OTEL_SEMCONV_STABILITY_OPT_IN`: a
   * comma-separated list in which `messaging` asks for the current ones (1.45) and `messaging/dup` for both; what else stands in it is
   * ignored. Without either, names are those of `@opentelemetry/instrumentation-kafkajs` (1.30).
   *
   * @defaultValue the environment variable, read at the call
   * @throws {InvalidOptionsError} when it is not a string
   * @see https://opentelemetry.io/docs/specs/semconv/messaging/
   * @example { semconvStabilityOptIn: 'messaging/dup' }
   */
  readonly semconvStabilityOptIn?: string | undefined
}

/** The semantic conventions that spans and metrics follow. */
export class SemanticConventions {
  readonly #hasFormer: boolean
  /** Whether the current conventions are among them. */
  readonly hasCurrent: boolean
  /** What every span and measurement of a sent message has. */
  readonly common: Attributes

  /** @param optIn default: the environment variable */
  constructor(optIn: unknown = process.env[VARIABLE] ?? '') {
    if (typeof optIn !== 'string') {
      throw new InvalidOptionsError([
        `semconvStabilityOptIn must be a string as in ${VARIABLE}, for example "messaging/dup", not a ${typeof optIn}`,
      ])
    }
    const asked = optIn.split(',').map(each => each.trim().toLowerCase())
    const isBoth = asked.includes(`${CATEGORY}/dup`)
    this.hasCurrent = isBoth || asked.includes(CATEGORY)
    this.#hasFormer = isBoth || !this.hasCurrent
    this.common = { ...this.renamed('system', 'kafka'), 'messaging.operation.name': 'send' }
  }

  /** An attribute whose name differs, under the name of each of the conventions. */
  renamed(name: Exclude<keyof typeof RENAMED, 'offset'>, value: AttributeValue): Attributes {
    const { former, current } = RENAMED[name]
    return {
      ...(this.#hasFormer && { [former]: value }),
      ...(this.hasCurrent && { [current]: value }),
    }
  }

  /** @param offset of the broker. A string in the former conventions, as the instrumentation of kafkajs's consumer writes it. */
  offset(offset: string): Attributes {
    const { former, current } = RENAMED.offset
    return {
      ...(this.#hasFormer && { [former]: offset }),
      ...(this.hasCurrent && { [current]: Number(offset) }),
    }
  }
}
