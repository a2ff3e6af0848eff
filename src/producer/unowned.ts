import type { Logger } from 'kafkajs'
import { messageOf } from '../errors/bases.js'
import type { ProducerSettings } from './options.js'

/** A failure of a record for which nobody waits. */
export const reportUnowned = (
  { settings, logger }: { readonly settings: ProducerSettings; readonly logger: Logger },
  error: Error,
  place: { readonly topic: string; readonly partition: number },
): void => {
  if (settings.onDeliveryError === undefined) {
    logger.error(`An enqueued record failed: ${error.message}`, place)
    return
  }
  try {
    settings.onDeliveryError(error, place)
  } catch (thrown) {
    logger.error(`onDeliveryError threw: ${messageOf(thrown)}`, place)
  }
}
