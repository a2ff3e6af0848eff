import { setMaxListeners } from 'node:events'
import { types } from 'node:util'

/**
 * What a value is, whichever realm it was made in. Jest, jsdom and `vm` contexts have an `Error`, `Promise` and `Uint8Array` of
 * their own, while what comes from Node.js itself (errors of sockets, promises of node:zlib) is of Node's realm: `instanceof` answers
 * false for either in the other.
 */

/** Also for an error's copy made by `Object.create`, which is none to Node.js. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || types.isNativeError(value)

/** Whatever was thrown, as an error. */
export const asError = (thrown: unknown): Error => (isError(thrown) ? thrown : new Error(String(thrown)))

/** A Uint8Array, Buffer included. Asked for each record: `instanceof` first, which costs less. */
export const isBytes = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array || types.isUint8Array(value)

/** A promise, also one that is not of JavaScript's own class. */
export const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/** No warning of Node's about many listeners; jsdom's signals, which are none to Node.js, have no such warning. */
export const allowManyListeners = (signal: AbortSignal): void => {
  try {
    setMaxListeners(0, signal)
  } catch {}
}

/** Lets the process end meanwhile; jsdom's timers are numbers, which keep no process. */
export const unref = (timer: NodeJS.Timeout): void => void timer.unref?.()
