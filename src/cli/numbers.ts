import { InvalidArgumentError } from 'commander'

const whole = (text: string, least: number, what: string): number => {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least)) throw new InvalidArgumentError(`It must be ${what}.`)
  return value
}

export const milliseconds = (text: string): number => whole(text, 0, 'a whole number of milliseconds')
export const positive = (text: string): number => whole(text, 1, 'a whole number from 1')

/** A number of partitions or replicas; -1 is the broker's own default. */
export const countOrDefault = (text: string): number => (text === '-1' ? -1 : positive(text))

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** The longest that a timer of Node.js takes is 24 days. */
const LONGEST_MS = 24 * 3_600_000

/** `500ms`, `5s`, `1.5m`, `1h`, in ms: from 1 ms to a day. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? []
  const ms = Number(number) * (UNITS_MS[unit ?? ''] ?? Number.NaN)
  if (!(ms >= 1 && ms <= LONGEST_MS))
    throw new InvalidArgumentError('It must be a duration up to a day, such as 500ms, 5s, 2m or 1h.')
  return Math.round(ms)
}
