import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { KafkaConfig, SASLOptions } from 'kafkajs'
import { UsageError } from '../process/exit.js'
import type { Io } from '../process/io.js'
import { printable } from '../terminal/format.js'
import { styleFor } from '../terminal/style.js'
import { type ConfigFile, parseConfig, type TlsPaths } from './configFile.js'
import type { ConnectionFlags } from './flags.js'
import { SecretFiles } from './secretFiles.js'

export interface Connection {
  readonly kafka: Pick<KafkaConfig, 'clientId' | 'ssl' | 'sasl' | 'connectionTimeout'> & { brokers: string[] }
  /** The producer's options of the configuration file, unchecked. */
  readonly producer: Readonly<Record<string, unknown>>
  /** What a user should know before a password or a record leaves: a line each. */
  readonly warnings: readonly string[]
}

const DEFAULT_CLIENT_ID = 'resilient-producer'
const DEFAULT_PORT = 9092
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
  const secrets = new SecretFiles()
  if (flags.config !== undefined && config.sasl?.password !== undefined) secrets.note(flags.config)
  const ssl = await resolveTls(flags, config, base, secrets)
  const sasl = await resolveSasl(flags, config, base, env, secrets)
  return {
    kafka: {
      brokers,
      clientId: flags.clientId ?? config.clientId ?? DEFAULT_CLIENT_ID,
      connectionTimeout: Math.min(ONE_CONNECTION_TIMEOUT_MS, Math.max(1, flags.connectTimeoutMs)),
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
    },
    producer: config.producer ?? {},
    warnings: [
      ...(ssl !== undefined && isUnverified(ssl, env) ? [UNVERIFIED] : []),
      ...(await secrets.warnings()),
    ],
  }
}

const UNVERIFIED =
  'TLS certificates are not verified: whoever is in between can read and change everything. Pass the authority with --tls-ca.'

/** Node.js takes an environment variable for it, too. */
const isUnverified = ({ rejectUnauthorized }: ConnectionOptions, env: NodeJS.ProcessEnv): boolean =>
  rejectUnauthorized === false ||
  (rejectUnauthorized === undefined && env.NODE_TLS_REJECT_UNAUTHORIZED === '0')

/** `host`, `host:port`, `[::1]:port` and `::1`, the port being Kafka's when left out. */
export function parseBrokers(entries: readonly string[]): string[] {
  const brokers = entries.map(entry => entry.trim()).filter(entry => entry !== '')
  if (brokers.length === 0)
    throw new UsageError('no brokers given: pass --brokers host:port or set KAFKA_BROKERS')
  return brokers.map(broker => {
    const { host, port } = addressOf(broker) ?? {}
    if (host === undefined || port === undefined || port < 1 || port > 65_535)
      throw new UsageError(`not a broker address: ${JSON.stringify(broker)} (host:port, or [IPv6]:port)`)
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  })
}

function addressOf(broker: string): { readonly host: string; readonly port: number } | undefined {
  if (isIPv6(broker)) return { host: broker, port: DEFAULT_PORT }
  const match = /^(?:\[([^\]]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(broker)
  if (!match) return undefined
  const [, ipv6, name, port = DEFAULT_PORT] = match
  const host = ipv6 ?? name!
  return ipv6 === undefined || isIPv6(ipv6) ? { host, port: Number(port) } : undefined
}

async function resolveTls(
  flags: ConnectionFlags,
  config: ConfigFile,
  base: string,
  secrets: SecretFiles,
): Promise<ConnectionOptions | undefined> {
  const fromFile: TlsPaths = typeof config.tls === 'object' ? config.tls : {}
  const { tlsCa, tlsCert, tlsKey, tlsInsecure } = flags
  const wanted = flags.tls || tlsCa || tlsCert || tlsKey || tlsInsecure || config.tls
  if (!wanted) return undefined
  // Flags win over the file: who names an authority, or asks for TLS as such, wants certificates to be verified.
  const asksForTrust = flags.tls === true || tlsCa !== undefined
  const pem = async (flag: string | undefined, entry: string | undefined): Promise<string | undefined> => {
    if (flag !== undefined) return readText(flag)
    return entry === undefined ? undefined : readText(resolve(base, entry))
  }
  const keyFile = tlsKey ?? (fromFile.key === undefined ? undefined : resolve(base, fromFile.key))
  if (keyFile !== undefined) secrets.note(keyFile)
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
    ...(tlsInsecure || (fromFile.insecure && !asksForTrust) ? { rejectUnauthorized: false } : {}),
  }
}

async function resolveSasl(
  flags: ConnectionFlags,
  { sasl: entries = {} }: ConfigFile,
  base: string,
  env: NodeJS.ProcessEnv,
  secrets: SecretFiles,
): Promise<SASLOptions | undefined> {
  const mechanism = flags.saslMechanism ?? entries.mechanism
  const named = flags.saslUsername ?? entries.username
  if (mechanism === undefined) {
    if (named === undefined && flags.saslPasswordFile === undefined) return undefined
    throw new UsageError('SASL credentials need --sasl-mechanism')
  }
  const username = named ?? env.KAFKA_SASL_USERNAME
  if (!username) throw new UsageError('SASL needs a user name: --sasl-username or KAFKA_SASL_USERNAME')
  const password = await resolvePassword(flags, entries, base, env, secrets)
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
  secrets: SecretFiles,
): Promise<string | undefined> {
  const passwordOf = async (path: string): Promise<string> => {
    secrets.note(path)
    return withoutLineEnd(await readText(path))
  }
  if (flags.saslPasswordFile !== undefined) return passwordOf(flags.saslPasswordFile)
  if (entries.password !== undefined) return entries.password
  if (entries.passwordFile !== undefined) return passwordOf(resolve(base, entries.passwordFile))
  return env.KAFKA_SASL_PASSWORD
}

const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '')

/** @throws UsageError */
export async function readText(path: string): Promise<string> {
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

/** Tells what a user should know before anything is sent. */
export const warn = ({ warnings }: Pick<Connection, 'warnings'>, io: Io): void => {
  const { yellow } = styleFor(io.stderr, io.env)
  for (const line of warnings) io.stderr.write(`${yellow('warning:')} ${printable(line)}\n`)
}
