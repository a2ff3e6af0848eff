import type { KafkaConfig, LogEntry } from 'kafkajs'
import { logLevel } from 'kafkajs'
import { inFlags } from './flagWords.js'
import { printable } from './terminal/format.js'

/** The parts of kafkajs's configuration that decide what is logged. */
export type LogConfig = Required<Pick<KafkaConfig, 'logLevel' | 'logCreator'>>

/**
 * Where the client's log goes. Quietly: only the producer's own warnings, because kafkajs reports as errors what is
 * retried and mended, and what is not comes as the command's own complaint. With `verbose`, everything.
 */
export const clientLog = (verbose: boolean, print: (line: string) => void): LogConfig => ({
  logLevel: verbose ? logLevel.DEBUG : logLevel.WARN,
  logCreator: () => entry => {
    if (verbose || (entry.level === logLevel.WARN && isOurs(entry))) print(logLine(entry, verbose))
  },
})

const isOurs = (entry: LogEntry): boolean => entry.namespace === 'Producer'

function logLine({ namespace, label, log }: LogEntry, verbose: boolean): string {
  const { message, timestamp, logger: _logger, ...details } = log
  if (!verbose) return `warning: ${printable(inFlags(message))}`
  const more = Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : ''
  return printable(`${timestamp} ${label} ${namespace ? `[${namespace}] ` : ''}${message}${more}`, 4000)
}
