import { isObject } from '../../util/plainObject.js'
import { UsageError } from '../process/exit.js'
import { MECHANISMS, type Mechanism } from './mechanisms.js'

/** The configuration file (`--config`): the connection, and any option of the producer. Flags win over it. */
export interface ConfigFile {
  readonly brokers?: readonly string[]
  readonly clientId?: string
  readonly tls?: boolean | TlsPaths
  readonly sasl?: SaslEntries
  /** Options of `createResilientProducer`, which checks them itself. */
  readonly producer?: Readonly<Record<string, unknown>>
}

/** Files in PEM, relative to the configuration file. */
export interface TlsPaths {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure?: boolean
}

export interface SaslEntries {
  readonly mechanism?: Mechanism
  readonly username?: string
  readonly password?: string
  readonly passwordFile?: string
}

type Check = (value: unknown) => string | undefined

const text: Check = value =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a non-empty string'
const flag: Check = value => (typeof value === 'boolean' ? undefined : 'must be true or false')
const texts: Check = value =>
  Array.isArray(value) && value.length > 0 && value.every(each => text(each) === undefined)
    ? undefined
    : 'must be a list of "host:port"'
const mechanism: Check = value =>
  MECHANISMS.includes(value as Mechanism) ? undefined : `must be one of ${MECHANISMS.join(', ')}`
const object: Check = value => (isObject(value) ? undefined : 'must be an object')

const TLS: Readonly<Record<string, Check>> = { ca: text, cert: text, key: text, insecure: flag }
const SASL: Readonly<Record<string, Check>> = {
  mechanism,
  username: text,
  password: text,
  passwordFile: text,
}
const TOP: Readonly<Record<string, Check>> = {
  brokers: texts,
  clientId: text,
  tls: value =>
    typeof value === 'boolean' || isObject(value) ? undefined : 'must be true, false or an object',
  sasl: object,
  producer: object,
}

/**
 * Reads a configuration file's text.
 *
 * @throws UsageError naming every problem
 */
export function parseConfig(json: string, path: string): ConfigFile {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch {
    // Not the parser's message: it quotes the text, in which a password may stand.
    throw new UsageError(`${path} is not JSON`)
  }
  if (!isObject(parsed)) throw new UsageError(`${path} must hold a JSON object`)
  const problems = [
    ...check(parsed, TOP, ''),
    ...(isObject(parsed.tls) ? check(parsed.tls, TLS, 'tls.') : []),
    ...(isObject(parsed.sasl) ? check(parsed.sasl, SASL, 'sasl.') : []),
  ]
  if (problems.length > 0) throw new UsageError(...problems.map(problem => `${path}: ${problem}`))
  return parsed as ConfigFile
}

function check(
  entries: Record<string, unknown>,
  checks: Readonly<Record<string, Check>>,
  prefix: string,
): string[] {
  return Object.entries(entries).flatMap(([name, value]) => {
    if (!Object.hasOwn(checks, name)) {
      return [`unknown entry "${prefix}${name}" (known: ${Object.keys(checks).join(', ')})`]
    }
    const problem = checks[name]!(value)
    return problem ? [`"${prefix}${name}" ${problem}`] : []
  })
}
