import kafkajs from 'kafkajs'
import type { AnyApi } from '../../protocol/api.js'
import { addressKey } from './address.js'
import type { BrokerConnection } from './brokerConnection.js'

/** Sends one request and waits for what stands behind its correlation id. An aborted signal ends it, and the connection with it. */
export const exchangeControl = (
  connection: BrokerConnection,
  api: AnyApi,
  version: number,
  body: Buffer,
  signal: AbortSignal,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const correlationId = connection.send(
      {
        apiKey: api.key,
        apiName: api.name,
        apiVersion: version,
        flexible: version >= api.flexibleFrom,
        expectResponse: true,
        chunks: [body],
      },
      {
        onResponse: payload => {
          signal.removeEventListener('abort', onAbort)
          resolve(payload ?? Buffer.alloc(0))
        },
        onFailure: error => {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
        onBuffersReleased: () => {},
      },
    )
    const onAbort = () =>
      connection.expire(correlationId, context =>
        signal.reason instanceof kafkajs.KafkaJSRequestTimeoutError
          ? timedOut(
              `Request ${api.name}(key: ${api.key}, version: ${version}) to ${addressKey(connection.address)} timed out`,
              context,
            )
          : signal.reason,
      )
    signal.addEventListener('abort', onAbort, { once: true })
  })

/** With what kafkajs's own carries: broker, correlationId, createdAt, sentAt, pendingDuration. */
const timedOut = (
  message: string,
  context: NonNullable<ConstructorParameters<typeof kafkajs.KafkaJSRequestTimeoutError>[1]> | object,
): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(
    message,
    context as ConstructorParameters<typeof kafkajs.KafkaJSRequestTimeoutError>[1],
  )
