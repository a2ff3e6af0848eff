import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { KafkaConfig, SASLOptions } from 'kafkajs'

export const USAGE = `Usage: npm start -- [options]

Sends a week of real earthquakes to topics that do not exist yet, and reads them back.

  --brokers <host:port,...>     a real Kafka. Default: an embedded cluster in this process
  --topic-prefix <text>         before the topics' names. Default: earthquakes.
  --report <file.html>          leaves a picture of the run
  --delete-topics               deletes the topics that the run made, without asking
  --keep-topics                 keeps them, without asking
  --connect-timeout-ms <ms>     Default: 10000
  --tls, --tls-ca <file>        encrypts; trusts this authority (PEM) instead of those that Node.js trusts
  --sasl-mechanism <name>       plain, scram-sha-256 or scram-sha-512
  --sasl-username <name>        the password is in the environment: KAFKA_SASL_PASSWORD
  --verbose                     prints stacks of errors
`

export interface Arguments {
  /** Undefined: the embedded cluster. */
  readonly kafka: KafkaConfig | undefined
  readonly topicPrefix: string
  readonly report: string | undefined
  /** What becomes of the topics that the run made. */
  readonly topicsAfterwards: 'ask' | 'delete' | 'keep'
  readonly connectTimeoutMs: number
  readonly verbose: boolean
  readonly help: boolean
}

const OPTIONS = {
  brokers: { type: 'string' },
  'topic-prefix': { type: 'string', default: 'earthquakes.' },
  report: { type: 'string' },
  'delete-topics': { type: 'boolean', default: false },
  'keep-topics': { type: 'boolean', default: false },
  'connect-timeout-ms': { type: 'string', default: '10000' },
  tls: { type: 'boolean', default: false },
  'tls-ca': { type: 'string' },
  'sasl-mechanism': { type: 'string' },
  'sasl-username': { type: 'string' },
  verbose: { type: 'boolean', short: 'v', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws {TypeError} on what is no option, with Node's words */
export function parseArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS })
  const connectTimeoutMs = Number(values['connect-timeout-ms'])
  if (!Number.isInteger(connectTimeoutMs) || connectTimeoutMs < 1)
    throw new TypeError('--connect-timeout-ms must be a whole number of milliseconds from 1')
  if (values['delete-topics'] && values['keep-topics'])
    throw new TypeError('--delete-topics and --keep-topics exclude each other')
  return {
    kafka: values.brokers === undefined ? undefined : connectionOf(values.brokers, values, env),
    topicPrefix: values['topic-prefix'],
    report: values.report,
    topicsAfterwards: values['delete-topics'] ? 'delete' : values['keep-topics'] ? 'keep' : 'ask',
    connectTimeoutMs,
    verbose: values.verbose,
    help: values.help,
  }
}

interface ConnectionValues {
  readonly tls: boolean
  readonly 'tls-ca'?: string
  readonly 'sasl-mechanism'?: string
  readonly 'sasl-username'?: string
}

function connectionOf(brokers: string, values: ConnectionValues, env: NodeJS.ProcessEnv): KafkaConfig {
  const ca = values['tls-ca']
  const mechanism = values['sasl-mechanism']
  const username = values['sasl-username']
  const password = env.KAFKA_SASL_PASSWORD
  if (mechanism !== undefined && (!username || !password))
    throw new TypeError(
      '--sasl-mechanism needs --sasl-username and the environment variable KAFKA_SASL_PASSWORD',
    )
  return {
    brokers: brokers.split(',').map(each => each.trim()),
    ...(ca !== undefined ? { ssl: { ca: [readFileSync(ca, 'utf8')] } } : values.tls ? { ssl: true } : {}),
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username, password } as SASLOptions }),
  }
}
