import type { Logger } from 'kafkajs'
import { isPromiseLike } from '../util/realms.js'

type Write = Logger['info']

/**
 * A logger whose methods never throw. A user's `logCreator` may: the line is then lost, and nothing else is.
 * What it returns is not awaited; a promise that rejects is not an unhandled rejection.
 */
export const guardedLogger = (logger: Logger): Logger => {
  const guarded =
    (write: Write): Write =>
    (message, extra) => {
      try {
        const returned: unknown = write(message, extra)
        if (isPromiseLike(returned)) returned.then(undefined, () => {})
      } catch {
        // There is nobody left to tell.
      }
    }
  return Object.assign(Object.create(logger) as Logger, {
    error: guarded((message, extra) => logger.error(message, extra)),
    warn: guarded((message, extra) => logger.warn(message, extra)),
    info: guarded((message, extra) => logger.info(message, extra)),
    debug: guarded((message, extra) => logger.debug(message, extra)),
    namespace: (...path: Parameters<Logger['namespace']>) => guardedLogger(logger.namespace(...path)),
  })
}
