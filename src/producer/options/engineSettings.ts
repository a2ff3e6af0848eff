import type { EngineSettings } from '../../delivery/engine.js'
import type { ProducerSettings } from './options.js'

/** What may stand around the one batch of a request: headers, a client id and a topic's name. bytes */
export const REQUEST_FRAME_BYTES = 512

/** @param transactionalId of an engine for transactions */
export const engineSettings = (
  settings: ProducerSettings,
  transactionalId: string | undefined,
): EngineSettings => ({
  ...settings,
  transactionalId,
  batchLimits: {
    bytes: Math.min(
      settings.batchBytes,
      settings.requestBytes - REQUEST_FRAME_BYTES - Buffer.byteLength(transactionalId ?? ''),
    ),
    records: settings.batchRecords,
  },
  retries: settings.retry.retries,
  retryBackoff: {
    minMs: settings.retry.minTimeoutMs,
    maxMs: settings.retry.maxTimeoutMs,
    factor: settings.retry.factor,
    jitter: settings.retry.jitter,
  },
})
