import { printable } from '../util/printable.js'

/** Where a broker listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The port of a seed that names none: the one that Kafka's documentation uses, and librdkafka assumes. */
const DEFAULT_PORT = 9092
const MAX_PORT = 65_535

/** `host:port`, an IPv6 address in brackets. The key of an address in maps. */
export const addressKey = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** The same for messages: a broker may advertise any text as its host. */
export const addressText = (address: Address): string => printable(addressKey(address))

const portOf = (text: string): number | undefined => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port > 0 && port <= MAX_PORT ? port : undefined
}

/**
 * Reads a seed as Kafka's clients write it: `host:port`, `[::1]:9092`, `::1:9092` (the port follows the last colon), or without a
 * port, which then is 9092.
 *
 * @returns undefined when the text is no address
 * @example parseAddress('[::1]:9092') // { host: '::1', port: 9092 }
 */
export const parseAddress = (text: string): Address | undefined => {
  const trimmed = text.trim()
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(trimmed)
  const colon = trimmed.lastIndexOf(':')
  const [host, rest] =
    bracketed !== null
      ? [bracketed[1]!, bracketed[2]]
      : colon < 0 || /^:?:?$/.test(trimmed.slice(0, colon))
        ? [trimmed, undefined]
        : [trimmed.slice(0, colon), trimmed.slice(colon + 1)]
  const port = rest === undefined ? DEFAULT_PORT : portOf(rest)
  return host === '' || host.includes('/') || port === undefined ? undefined : { host, port }
}
