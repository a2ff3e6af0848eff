import type { Logger } from 'kafkajs'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly extra: Record<string, unknown>
}

/** A logger that keeps its lines. */
export const recordingLogger = (): { readonly logger: Logger; readonly lines: LogLine[] } => {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (message: string, extra: object = {}) => {
      lines.push({ level, message, extra: extra as Record<string, unknown> })
    }
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    namespace: () => logger,
    setLogLevel: () => {},
  }
  return { logger, lines }
}
