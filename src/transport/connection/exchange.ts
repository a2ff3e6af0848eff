import kafkajs from 'kafkajs'
import type { AnyApi } from '../../protocol/api.js'
import { addressText } from '../address.js'
import type { BrokerConnection } from './brokerConnection.js'
import { MAX_RESPONSE_BYTES } from './responseFrames.js'

/** The largest answer to a small request: some ten thousand brokers, groups or settings. bytes */
const LEAST_BOUND_BYTES = 8 * 1024 * 1024
/** An answer tells so much of each thing that a request names, such as a topic's partitions. bytes for each byte of the request */
const BYTES_PER_BYTE = 1024

/** The largest answer that a request of that size may have. bytes */
export const responseBound = (requestBytes: number): number =>
  Math.min(MAX_RESPONSE_BYTES, LEAST_BOUND_BYTES + BYTES_PER_BYTE * requestBytes)

export interface ExchangeOptions {
  /** Ends the exchange, and the connection with it, unless a quota still holds the request back. */
  readonly signal: AbortSignal
  /** bytes. Default {@link responseBound} */
  readonly maxResponseBytes?: number
}

/** Sends one request and waits for its response, from behind the correlation id on. */
export const exchange = (
  connection: BrokerConnection,
  api: AnyApi,
  version: number,
  body: Buffer,
  { signal, maxResponseBytes = responseBound(body.length) }: ExchangeOptions,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const leave = () => signal.removeEventListener('abort', onAbort)
    const request = connection.send(
      {
        apiKey: api.key,
        apiName: api.name,
        apiVersion: version,
        flexible: version >= api.flexibleFrom,
        expectResponse: true,
        maxResponseBytes,
        chunks: [body],
      },
      {
        onResponse: payload => {
          leave()
          resolve(payload ?? Buffer.alloc(0))
        },
        onFailure: error => {
          leave()
          reject(error)
        },
        onBuffersReleased: () => {},
      },
    )
    const onAbort = () =>
      connection.expire(request, context =>
        signal.reason instanceof kafkajs.KafkaJSRequestTimeoutError
          ? timedOut(
              `Request ${api.name}(key: ${api.key}, version: ${version}) to ${addressText(connection.address)} timed out: ${signal.reason.message}`,
              context,
            )
          : signal.reason,
      )
    signal.addEventListener('abort', onAbort, { once: true })
  })

type TimeoutContext = NonNullable<ConstructorParameters<typeof kafkajs.KafkaJSRequestTimeoutError>[1]>

/** With what kafkajs's own carries: broker, correlationId, createdAt, sentAt, pendingDuration. */
const timedOut = (message: string, context: object): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(message, context as TimeoutContext)
