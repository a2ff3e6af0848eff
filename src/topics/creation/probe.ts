import type { Logger } from 'kafkajs'
import { isRemoteFailure } from '../../metadata/retry/failure.js'
import { ERROR } from '../../protocol/errorCodes.js'
import { CONFIG_RESOURCE, describeConfigsApi } from '../../protocol/messages/describeConfigs.js'
import type { Transport } from '../../transport/port.js'

export interface ProbeOptions {
  readonly transport: Pick<Transport, 'control'>
  readonly logger: Logger
  /** ms */
  readonly requestTimeoutMs: number
}

const SETTING = 'auto.create.topics.enable'

/** The setting is static per broker: it changes with a restart. ms */
const REMEMBERED_MS = 300_000

/** A probe that takes longer goes on beside the schedules of topics: it must not delay their next attempts. ms */
const PATIENCE_MS = 250

export interface Probe {
  /** Undefined when the broker does not tell: not authorized, too old, or no answer. */
  readonly enabled: Promise<boolean | undefined>
  /** Settles with the answer, or when it has taken too long to wait for. Never rejects. */
  readonly soon: Promise<unknown>
}

/** Asks brokers whether they create topics by themselves. */
export class AutoCreateProbe {
  readonly #options: ProbeOptions
  readonly #probes = new Map<number, Probe & { readonly expiresAt: number }>()

  constructor(options: ProbeOptions) {
    this.#options = options
  }

  /** The setting of one broker, asked of that broker itself, once for all who ask within five minutes. */
  check(nodeId: number): Probe {
    const known = this.#probes.get(nodeId)
    if (known && known.expiresAt > performance.now()) return known
    const enabled = this.#ask(nodeId)
    const probe = {
      expiresAt: performance.now() + REMEMBERED_MS,
      enabled,
      soon: within(PATIENCE_MS, enabled),
    }
    this.#probes.set(nodeId, probe)
    return probe
  }

  async #ask(nodeId: number): Promise<boolean | undefined> {
    const { transport, logger, requestTimeoutMs } = this.#options
    try {
      const { response } = await transport.control(
        describeConfigsApi,
        () => ({
          resources: [
            {
              resourceType: CONFIG_RESOURCE.broker,
              resourceName: String(nodeId),
              configurationKeys: [SETTING],
            },
          ],
        }),
        { target: { node: nodeId }, timeoutMs: requestTimeoutMs },
      )
      const result = response.results[0]
      const value =
        result?.errorCode === ERROR.NONE
          ? result.configs.find(each => each.name === SETTING)?.value
          : undefined
      logger.debug('Broker asked whether it creates topics', {
        nodeId,
        [SETTING]: value,
        errorCode: result?.errorCode,
      })
      return value === 'true' ? true : value === 'false' ? false : undefined
    } catch (error) {
      // No answer is no knowledge: whoever meets this broker next asks again.
      this.#probes.delete(nodeId)
      if (!isRemoteFailure(error)) throw error
      logger.debug('Broker not asked whether it creates topics', { nodeId, error: error.message })
      return undefined
    }
  }
}

const within = (ms: number, work: Promise<unknown>): Promise<unknown> => {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise(resolve => {
    timer = setTimeout(resolve, ms)
  })
  const settled = work.then(
    () => {},
    () => {},
  )
  return Promise.race([settled, patience]).finally(() => clearTimeout(timer))
}
