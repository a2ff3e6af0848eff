import { type Command, Option } from 'commander'
import { milliseconds } from '../numbers.js'
import { MECHANISMS, type Mechanism } from './mechanisms.js'

/** How to reach the brokers, as the command line says it. */
export interface ConnectionFlags {
  readonly brokers?: string
  readonly config?: string
  readonly clientId?: string
  readonly connectTimeoutMs: number
  readonly tls?: boolean
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsInsecure?: boolean
  readonly saslMechanism?: Mechanism
  readonly saslUsername?: string
  readonly saslPasswordFile?: string
}

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000

export function addConnectionFlags(command: Command): Command {
  return command
    .optionsGroup('Connection:')
    .option('-b, --brokers <host:port,...>', 'brokers to begin with (KAFKA_BROKERS)')
    .option(
      '--config <file>',
      'JSON with brokers, clientId, tls, sasl and producer (any option of the producer)',
    )
    .option('--client-id <name>', 'name shown in the brokers’ logs and quotas')
    .addOption(
      new Option('--connect-timeout-ms <ms>', 'give up when no broker can be used by then')
        .argParser(milliseconds)
        .default(DEFAULT_CONNECT_TIMEOUT_MS),
    )
    .option('--tls', 'encrypt, trusting the authorities Node.js trusts')
    .option('--tls-ca <file>', 'trust this authority instead (PEM)')
    .option('--tls-cert <file>', 'client certificate (PEM)')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-insecure', 'accept any certificate: for trials only')
    .addOption(new Option('--sasl-mechanism <name>', 'how to log in').choices(MECHANISMS))
    .option('--sasl-username <name>', 'user name (KAFKA_SASL_USERNAME)')
    .option('--sasl-password-file <file>', 'file with the password (KAFKA_SASL_PASSWORD holds it itself)')
}
