import type { Payload, PayloadHeaders } from '../clients/client.js'

export interface PayloadSpec {
  readonly valueBytes: number
  /** `random` bytes do not compress; `json` is an event whose fields repeat, as events do. */
  readonly content: 'random' | 'json'
  readonly keyed: boolean
  readonly headers: number
}

/** A small generator with a seed: every client is given the same bytes. */
const mulberry32 = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const WORDS =
  'order created shipped paid refunded web mobile eu-west us-east standard express gift sku note'.split(' ')

const jsonValue = (random: () => number, bytes: number): Buffer => {
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)]!
  const number = (): number => Math.floor(random() * 1e6)
  let text = `{"id":"${number()}-${number()}","at":${1_700_000_000_000 + number()},"type":"${word()}"`
  while (text.length < bytes - 2) text += `,"${word()}":${random() < 0.5 ? number() : `"${word()}"`}`
  return Buffer.from(`${text}}`.slice(0, bytes).padEnd(bytes))
}

const randomBytes = (random: () => number, bytes: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: bytes }, () => random() * 256))

const headersOf = (random: () => number, count: number): PayloadHeaders => {
  const pairs = Array.from({ length: count }, (_, at) => [`header-${at}`, randomBytes(random, 16)] as const)
  return {
    byName: Object.fromEntries(pairs),
    list: pairs.map(([name, value]) => ({ [name]: value })),
    map: new Map(pairs.map(([name, value]) => [Buffer.from(name), value])),
  }
}

/** As many as do not fit a processor's first cache, and a prime, so that topics and payloads do not step together. */
const COUNT = 2003

export const payloads = ({ valueBytes, content, keyed, headers }: PayloadSpec): Payload[] => {
  const random = mulberry32(42)
  const make = content === 'json' ? jsonValue : randomBytes
  return Array.from({ length: COUNT }, (_, i) => ({
    key: keyed ? Buffer.from(`customer-${i}`) : undefined,
    value: make(random, valueBytes),
    headers: headers === 0 ? undefined : headersOf(random, headers),
  }))
}
