import { createRequire } from 'node:module'
import { InvalidOptionsError } from '../errors/invalidOptionsError.js'

export type PromClient = typeof import('prom-client')

/**
 * Loads the optional peer, only when metrics are on. By `require`, so that creating a producer stays synchronous and
 * this module has no top-level await, which CommonJS callers could not load.
 *
 * @throws {InvalidOptionsError} when prom-client is not installed
 */
export const loadPromClient = (
  load: (id: string) => unknown = createRequire(import.meta.url),
): PromClient => {
  try {
    return load('prom-client') as PromClient
  } catch (error) {
    if (!isMissing(error)) throw error
    throw Object.assign(
      new InvalidOptionsError([
        'metrics are on, but prom-client is not installed: run `npm install prom-client@15`, or leave the option metrics out',
      ]),
      { cause: error },
    )
  }
}

/** A dependency that prom-client itself misses is another matter. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'MODULE_NOT_FOUND' &&
  error.message.includes("'prom-client'")
