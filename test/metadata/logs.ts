import type { Logger } from 'kafkajs'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly extra: Record<string, unknown>
}

/** A logger that keeps its lines. */
export const recordingLogger = (): {
  readonly logger: Logger
  readonly lines: LogLine[]
  /** Reads what is logged when it is logged, as a logger at level DEBUG does, not when a test looks at it. */
  readAtOnce(): void
} => {
  const lines: LogLine[] = []
  let readsAtOnce = false
  const at =
    (level: LogLine['level']) =>
    (message: string, extra: object = {}) => {
      lines.push({
        level,
        message,
        extra: (readsAtOnce ? { ...extra } : extra) as Record<string, unknown>,
      })
    }
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    namespace: () => logger,
    setLogLevel: () => {},
  }
  const readAtOnce = (): void => {
    readsAtOnce = true
  }
  return { logger, lines, readAtOnce }
}
