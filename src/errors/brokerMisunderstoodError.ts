import { quoted } from '../util/printable.js'
import { type ErrorContext, NonRetriableError } from './bases.js'

export interface MisunderstoodContext extends ErrorContext {
  /** The node id; -1: a seed broker, whose id is not known. */
  readonly nodeId: number
  readonly apiName: string
  readonly version: number
  /** Behind the end of the message. */
  readonly trailingBytes: number
  /** What was asked for and is not in the answer. */
  readonly missing: string
}

/**
 * A broker's answer lacks what was asked for, and has bytes left over: the two sides do not agree on the layout of this version of the message.
 * A proxy or another make of broker does not implement it as Kafka does. A retry does not help.
 */
export class BrokerMisunderstoodError extends NonRetriableError {
  static override readonly name: string = 'BrokerMisunderstoodError'

  constructor({ nodeId, apiName, version, trailingBytes, missing, ...context }: MisunderstoodContext) {
    const broker = nodeId < 0 ? 'The broker' : `Broker ${nodeId}`
    super(
      `${broker} answered ${apiName} version ${version} without ${missing}, and with ${trailingBytes} bytes left over: ` +
        'it does not implement this version as Kafka does. Check what is between this producer and Kafka (a proxy, a service that is not Kafka), and report it there.',
      context,
    )
  }
}

/** Topics by name, the first of many. */
export const missingTopics = (names: readonly string[]): string =>
  names.length === 1
    ? `topic ${quoted(names[0]!)}`
    : `topic ${quoted(names[0]!)} and ${names.length - 1} more`
