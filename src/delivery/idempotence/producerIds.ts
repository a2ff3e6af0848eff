import kafkajs, { type Logger } from 'kafkajs'
import { BrokerVerdictError } from '../../errors/bases.js'
import { IdempotenceRefusedError } from '../../errors/index.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import { initProducerIdApi } from '../../protocol/messages/initProducerId.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import type { Transport } from '../../transport/port.js'
import { asError } from '../../util/realms.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Wait, WaitEnd } from '../../waits/wait.js'
import { type Backoff, backoffMs } from '../backoff.js'
import type { ProducerIdentity } from '../batch/producerIdentity.js'

const BACKOFF: Backoff = { minMs: 100, maxMs: 1000, factor: 2 }

/** A producer without a transactional id: no coordinator has its state, so any broker gives it a new id. */
const NO_TIMEOUT_MS = 2147483647

/** How long one broker is asked alone. ms */
const ASKING_ALONE_MS = 500
const MAX_DOUBLINGS = 3

const REFUSALS: ReadonlySet<number> = new Set([
  ERROR.CLUSTER_AUTHORIZATION_FAILED,
  ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ERROR.UNSUPPORTED_VERSION,
  ERROR.INVALID_REQUEST,
])

export interface ProducerIdsParts {
  readonly transport: Pick<Transport, 'control'>
  readonly logger: Logger
  readonly requestTimeoutMs: number
  readonly random: () => number
  readonly waits: WaitRegistry
  readonly observer: Pick<ProducerObserver, 'producerIdObtained'>
}

/** @throws {MalformedMessageError} on numbers that no broker gives: records would carry none, as without idempotence */
export const identityIn = (answer: {
  readonly producerId: bigint
  readonly producerEpoch: number
}): ProducerIdentity => {
  if (answer.producerId < 0n || answer.producerEpoch < 0)
    throw new MalformedMessageError(
      `InitProducerId was answered with the producer id ${answer.producerId} and epoch ${answer.producerEpoch}`,
    )
  return { producerId: answer.producerId, epoch: answer.producerEpoch }
}

/** Who the producer is to the brokers. */
export interface IdentitySource {
  /** Undefined while it is being asked for. */
  readonly current: ProducerIdentity | undefined
  /** Why there is none yet, as far as it is known. */
  readonly problem: Error | undefined
  /** This identity cannot go on. */
  renew(spent: ProducerIdentity): void
  /** Called when there is another one. */
  onRenewed: (() => void) | undefined
}

/** The producer id of an idempotent producer (InitProducerId, KIP-98). */
export class ProducerIds implements IdentitySource {
  private readonly parts: ProducerIdsParts
  private identity: ProducerIdentity | undefined
  private renewing = false
  /** Requests in a row that nobody answered in time: the next one has twice the time. */
  private unanswered = 0
  private closed = false
  private timer: NodeJS.Timeout | undefined
  private wake: (() => void) | undefined
  /** From the first attempt that was in vain. */
  private wait: Wait | undefined
  /** Called when a new id has replaced one whose epochs were used up. */
  onRenewed: (() => void) | undefined

  constructor(parts: ProducerIdsParts) {
    this.parts = parts
  }

  get current(): ProducerIdentity | undefined {
    return this.identity
  }

  get problem(): Error | undefined {
    return this.wait?.error
  }

  /**
   * Asks once.
   *
   * @throws {IdempotenceRefusedError} when the cluster does not give ids to this principal
   * @throws {BrokerVerdictError} on any other error code: asking again may help
   * @throws {UnsupportedApiError} and other errors of the transport
   */
  async acquire(): Promise<void> {
    try {
      await this.ask()
    } catch (error) {
      this.noteFailure(asError(error))
      throw error
    }
    this.endWait('over')
  }

  private noteFailure(error: Error): void {
    if (this.closed) return
    const { waits } = this.parts
    if (this.wait === undefined) this.wait = waits.begin('producer_id', {}, { error })
    else waits.change(this.wait, 'producer_id', error)
  }

  private endWait(how: WaitEnd): void {
    if (this.wait === undefined) return
    this.parts.waits.end(this.wait, how)
    this.wait = undefined
  }

  private async ask(): Promise<void> {
    const { transport, requestTimeoutMs, logger } = this.parts
    const timeoutMs = requestTimeoutMs * 2 ** Math.min(this.unanswered, MAX_DOUBLINGS)
    const { response } = await transport
      .control(initProducerIdApi, () => ({ transactionalId: null, transactionTimeoutMs: NO_TIMEOUT_MS }), {
        target: { anyBut: undefined },
        timeoutMs,
        besideMs: ASKING_ALONE_MS,
      })
      .catch(error => {
        if (error instanceof kafkajs.KafkaJSRequestTimeoutError) this.unanswered++
        throw error
      })
    this.unanswered = 0
    if (response.errorCode !== ERROR.NONE) {
      const verdict = errorCode(response.errorCode)
      if (REFUSALS.has(response.errorCode)) throw new IdempotenceRefusedError(verdict)
      throw new BrokerVerdictError(
        `InitProducerId was answered with ${verdict.type}: ${verdict.message}`,
        verdict,
      )
    }
    this.identity = identityIn(response)
    this.parts.observer.producerIdObtained()
    logger.debug('Got a producer id', {
      producerId: String(response.producerId),
      epoch: response.producerEpoch,
    })
  }

  /** The producer goes on without an id. */
  giveUp(): void {
    this.endWait('given-up')
  }

  /** Replaces an id whose epochs are used up, or that the brokers do not take any more; asks until it has one. */
  renew(spent: ProducerIdentity): void {
    if (this.renewing || this.closed) return
    if (this.identity !== undefined && this.identity.producerId !== spent.producerId) return
    this.identity = undefined
    this.renewing = true
    void this.acquireUntilDone().finally(() => {
      this.renewing = false
      if (!this.closed) this.onRenewed?.()
    })
  }

  private async acquireUntilDone(): Promise<void> {
    for (let failures = 1; !this.closed; failures++) {
      try {
        return await this.acquire()
      } catch (error) {
        this.parts.logger.debug('No new producer id yet', { error: String(error) })
        await new Promise<void>(resolve => {
          this.wake = resolve
          this.timer = setTimeout(resolve, backoffMs(BACKOFF, failures, this.parts.random()))
        })
      }
    }
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.wake?.()
    this.endWait('given-up')
  }
}
