import type { Logger } from 'kafkajs'
import type { ProducerIds } from '../../delivery/idempotence/producerIds.js'
import { BrokerVerdictError } from '../../errors/bases.js'
import {
  IdempotenceRefusedError,
  ProducerIdUnavailableError,
  UnsupportedApiError,
} from '../../errors/index.js'
import { type MetadataRetrySettings, NotYet, onSchedule } from '../../metadata/retry/schedule.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { TopicDirectory } from '../../topics/index.js'

export interface ProducerIdentityParts {
  readonly producerIds: Pick<ProducerIds, 'acquire' | 'giveUp'>
  readonly directory: Pick<TopicDirectory, 'connect'>
  /** The option: undefined goes on without a producer id where there is none to be had. */
  readonly idempotent: boolean | undefined
  readonly retry: MetadataRetrySettings
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Learns of each attempt that failed and is followed by another. */
  readonly onFailure: (error: Error) => void
}

/**
 * Gets the id of an idempotent producer, on the schedule of `metadataRetry`. Where the brokers do not have InitProducerId, refuse it, or
 * never give an id although they answer otherwise, `idempotent` decides: unset goes on without one and warns once.
 *
 * @returns whether there is one
 * @throws {IdempotenceRefusedError} {ProducerIdUnavailableError} with `idempotent: true`
 * @throws {BrokersUnreachableError} when no broker answers at all, and final errors of the transport
 */
export const acquireProducerIdentity = async (parts: ProducerIdentityParts): Promise<boolean> => {
  try {
    await acquireOnSchedule(parts)
    return true
  } catch (error) {
    const reason = await withoutIdentity(error, parts)
    if (parts.idempotent === true) throw reason
    parts.producerIds.giveUp()
    parts.logger.warn(
      `The producer continues without idempotence: a retry may write a record twice. ${reason.message}`,
    )
    return false
  }
}

const acquireOnSchedule = ({
  producerIds,
  retry,
  signal,
  onFailure,
  logger,
}: ProducerIdentityParts): Promise<void> => {
  return onSchedule(() => producerIds.acquire().catch(retryVerdict), {
    retry,
    signal,
    onRetry: ({ attempt, delayMs, error }) => {
      onFailure(error)
      logger.debug('No producer id yet', { attempt, delayMs, error: error.message })
    },
    exhausted: end => new ProducerIdUnavailableError(end),
  })
}

/** An answer that is no refusal may be another one soon, whatever Kafka calls retriable: UNKNOWN_SERVER_ERROR is not. */
const retryVerdict = (error: unknown): never => {
  if (error instanceof IdempotenceRefusedError || !(error instanceof BrokerVerdictError)) throw error
  throw new NotYet(error)
}

/** Why there is no id, where the brokers are there and do not give one. Throws anything else. */
const withoutIdentity = async (
  error: unknown,
  { directory, onFailure }: ProducerIdentityParts,
): Promise<Error> => {
  if (error instanceof IdempotenceRefusedError) return error
  if (error instanceof UnsupportedApiError) {
    return new IdempotenceRefusedError(
      { ...errorCode(ERROR.UNSUPPORTED_VERSION), message: error.message },
      error,
    )
  }
  if (!(error instanceof ProducerIdUnavailableError)) throw error
  // Brokers that answer nothing else either may be back soon: to go on without an id would be for good.
  await directory.connect(onFailure)
  return error
}
