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
