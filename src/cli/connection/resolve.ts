import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { KafkaConfig, SASLOptions } from 'kafkajs'
import { addressKey, parseAddress } from '../../transport/address.js'
import { UsageError } from '../exit.js'
import { type ConfigFile, parseConfig, type TlsPaths } from './configFile.js'
import type { ConnectionFlags } from './flags.js'

export interface Connection {
  readonly kafka: Pick<KafkaConfig, 'clientId' | 'ssl' | 'sasl' | 'connectionTimeout'> & { brokers: string[] }
  /** The producer's options of the configuration file, unchecked. */
  readonly producer: Readonly<Record<string, unknown>>
}

const DEFAULT_CLIENT_ID = 'resilient-producer'
/** kafkajs's own 1 s for one connection is short for a broker behind a VPN; ms. */
const ONE_CONNECTION_TIMEOUT_MS = 3_000

/**
 * Flags first, then the configuration file, then the environment. Reads the files they name.
 *
 * @throws UsageError for what is missing, contradictory or unreadable
 */
export async function resolveConnection(flags: ConnectionFlags, env: NodeJS.ProcessEnv): Promise<Connection> {
  const config = flags.config === undefined ? {} : parseConfig(await readText(flags.config), flags.config)
  const base = flags.config === undefined ? '.' : dirname(flags.config)
  const brokers = parseBrokers(
    flags.brokers?.split(',') ?? config.brokers ?? env.KAFKA_BROKERS?.split(',') ?? [],
  )
  const ssl = await resolveTls(flags, config, base)
  const sasl = await resolveSasl(flags, config, base, env)
  return {
    kafka: {
      brokers,
      clientId: flags.clientId ?? config.clientId ?? DEFAULT_CLIENT_ID,
      connectionTimeout: Math.min(ONE_CONNECTION_TIMEOUT_MS, Math.max(1, flags.connectTimeoutMs)),
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
    },
    producer: config.producer ?? {},
  }
}

/** `host` and `host:port`, the port being Kafka's when left out. */
export function parseBrokers(entries: readonly string[]): string[] {
  const brokers = entries.map(entry => entry.trim()).filter(entry => entry !== '')
  if (brokers.length === 0)
    throw new UsageError('no brokers given: pass --brokers host:port or set KAFKA_BROKERS')
  return brokers.map(broker => {
    const address = parseAddress(broker)
    if (address === undefined || !/^[\w.:%-]+$/.test(address.host))
      throw new UsageError(
        `not a broker address: ${JSON.stringify(broker)} (host:port or [IPv6 address]:port)`,
      )
    return addressKey(address)
  })
}

async function resolveTls(
  flags: ConnectionFlags,
  config: ConfigFile,
  base: string,
): Promise<ConnectionOptions | undefined> {
  const fromFile: TlsPaths = typeof config.tls === 'object' ? config.tls : {}
  const { tlsCa, tlsCert, tlsKey, tlsInsecure } = flags
  const wanted = flags.tls || tlsCa || tlsCert || tlsKey || tlsInsecure || config.tls
  if (!wanted) return undefined
  const pem = async (flag: string | undefined, entry: string | undefined): Promise<string | undefined> => {
    if (flag !== undefined) return readText(flag)
    return entry === undefined ? undefined : readText(resolve(base, entry))
  }
  const [ca, cert, key] = await Promise.all([
    pem(tlsCa, fromFile.ca),
    pem(tlsCert, fromFile.cert),
    pem(tlsKey, fromFile.key),
  ])
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('a client certificate needs both --tls-cert and --tls-key')
  }
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(tlsInsecure || fromFile.insecure ? { rejectUnauthorized: false } : {}),
  }
}

async function resolveSasl(
  flags: ConnectionFlags,
  { sasl: entries = {} }: ConfigFile,
  base: string,
  env: NodeJS.ProcessEnv,
): Promise<SASLOptions | undefined> {
  const mechanism = flags.saslMechanism ?? entries.mechanism
  const named = flags.saslUsername ?? entries.username
  if (mechanism === undefined) {
    if (named === undefined && flags.saslPasswordFile === undefined) return undefined
    throw new UsageError('SASL credentials need --sasl-mechanism')
  }
  const username = named ?? env.KAFKA_SASL_USERNAME
  if (!username) throw new UsageError('SASL needs a user name: --sasl-username or KAFKA_SASL_USERNAME')
  const password = await resolvePassword(flags, entries, base, env)
  if (!password) {
    throw new UsageError('SASL needs a password: --sasl-password-file or KAFKA_SASL_PASSWORD')
  }
  return { mechanism, username, password }
}

async function resolvePassword(
  flags: ConnectionFlags,
  entries: NonNullable<ConfigFile['sasl']>,
  base: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (flags.saslPasswordFile !== undefined) return withoutLineEnd(await readText(flags.saslPasswordFile))
  if (entries.password !== undefined) return entries.password
  if (entries.passwordFile !== undefined)
    return withoutLineEnd(await readText(resolve(base, entries.passwordFile)))
  return env.KAFKA_SASL_PASSWORD
}

const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '')

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${fileProblem(error)}`)
  }
}

/** Node's text for a file error without its code, system call and path: `no such file or directory`. */
export function fileProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? message
}
