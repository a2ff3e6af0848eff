import type { Logger } from 'kafkajs'
import type { ProducerIdentity } from '../../../delivery/batch/producerIdentity.js'
import { identityIn } from '../../../delivery/idempotence/producerIds.js'
import { TransactionRefusedError } from '../../../errors/index.js'
import type { ProducerObserver } from '../../../metrics/observer.js'
import { ERROR, errorCode } from '../../../protocol/errorCodes.js'
import { initProducerIdApi } from '../../../protocol/messages/initProducerId.js'
import type { Coordinators, Patience } from './coordinators.js'
import { identityRefusalOf } from './verdicts.js'

/** From this version on a producer says who it was: only then it cannot fence its own successor (KIP-360). */
const NAMES_PREDECESSOR_SINCE = 3

export interface TransactionalIdentityParts {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  readonly coordinators: Coordinators
  readonly logger: Logger
  readonly observer: Pick<ProducerObserver, 'producerIdObtained' | 'epochBumped'>
}

/** The producer id and epoch that the coordinator has given to a transactional id (InitProducerId, KIP-98, KIP-360). */
export class TransactionalIdentity {
  private readonly parts: TransactionalIdentityParts
  private identity: ProducerIdentity | undefined
  private namesPredecessor = false

  constructor(parts: TransactionalIdentityParts) {
    this.parts = parts
  }

  get current(): ProducerIdentity | undefined {
    return this.identity
  }

  /** Whether another epoch can be had without a risk to a successor. */
  get canRenew(): boolean {
    return this.namesPredecessor
  }

  /**
   * The first time: aborts what a predecessor has left open, and fences it. Later: another epoch, unless this producer
   * was fenced meanwhile.
   *
   * @throws {ProducerFencedError} {TransactionRefusedError} {CoordinatorTimeoutError}
   */
  async acquire(patience: Patience): Promise<void> {
    const { transactionalId, transactionTimeoutMs, coordinators, logger, observer } = this.parts
    const before = this.identity
    const { response, version } = await coordinators.ask({
      api: initProducerIdApi,
      coordinator: { type: 'transaction', name: transactionalId },
      body: asked => {
        if (before === undefined) return { transactionalId, transactionTimeoutMs }
        if (asked < NAMES_PREDECESSOR_SINCE) {
          const verdict = errorCode(ERROR.UNSUPPORTED_VERSION)
          throw new TransactionRefusedError(transactionalId, { request: 'InitProducerId', verdict })
        }
        return {
          transactionalId,
          transactionTimeoutMs,
          producerId: before.producerId,
          producerEpoch: before.epoch,
        }
      },
      codeOf: ({ errorCode: code }) => code,
      refusal: (request, verdict, context) => identityRefusalOf(transactionalId, request, verdict, context),
      patience,
    })
    this.namesPredecessor = version >= NAMES_PREDECESSOR_SINCE
    this.identity = identityIn(response)
    if (before?.producerId === response.producerId) observer.epochBumped()
    else observer.producerIdObtained()
    logger.debug('Got a producer id for transactions', {
      transactionalId,
      producerId: String(response.producerId),
      epoch: response.producerEpoch,
    })
  }
}
