import { setTimeout as delay } from 'node:timers/promises'
import type { Gate } from '../gate.js'
import type { Fault, FaultedRequest } from './script.js'

/** Any API's fault. */
type Verb = <Q, R>(request: FaultedRequest<Q, R>, next: (body?: Q) => Promise<R | null>) => Promise<R | null>

const closedOf = (signal: AbortSignal): Promise<null> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(null)
    else signal.addEventListener('abort', () => resolve(null), { once: true })
  })

/** Refuses with an error code; nothing is applied. */
export const errorCode =
  (code: number): Verb =>
  request =>
    request.refuse(code)

/** Applies the request, then refuses it with an error code: as REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND do. */
export const errorAfterApply =
  (code: number): Verb =>
  request =>
    request.refuse(code, 'applied')

/** Cuts the connection; nothing is applied. */
export const dropBeforeApply: Verb = async request => {
  request.drop()
  return null
}

/** Applies the request, then cuts the connection in place of the answer. */
export const dropAfterApply: Verb = async (request, next) => {
  await next()
  request.drop()
  return null
}

/** Never applied, never answered, while the connection stays open and serves nothing behind it. */
export const hang: Verb = request => closedOf(request.closed)

/** Applied, but never answered, while the connection stays open and serves nothing behind it. */
export const hangAfterApply: Verb = async (request, next) => {
  await next()
  return closedOf(request.closed)
}

/**
 * Holds the request back until the gate opens, then applies it: even when its client has given up on the connection
 * meanwhile, as a broker does with a request in its queue.
 */
export const hold =
  (gate: Gate): Verb =>
  async (request, next) =>
    (await gate.wait(request.stopped)) === 'opened' ? next() : null

/** Applies the request at once and holds its answer back until the gate opens. */
export const holdAnswer =
  (gate: Gate): Verb =>
  async (request, next) => {
    const response = await next()
    return (await gate.wait(request.closed)) === 'opened' ? response : null
  }

/** Applies the request `ms` milliseconds late. Prefer {@link hold}: a gate forces an order, a delay only makes it likely. */
export const delayed =
  (ms: number): Verb =>
  async (request, next) => {
    await delay(ms, undefined, { signal: request.stopped }).catch(() => {})
    return request.stopped.aborted ? null : next()
  }

/** Serves the request with this throttle time, then reads nothing from the connection for so long (KIP-219). */
export const throttle =
  (ms: number): Verb =>
  async (request, next) => {
    const response = await next()
    request.mute(ms)
    return response === null ? null : { ...response, throttleTimeMs: ms }
  }

/** Applies the request, sends the first bytes of the answer and cuts the connection. */
export const partialAnswer =
  (bytes: number): Verb =>
  async (request, next) => {
    const response = await next()
    if (response !== null) request.write(request.encode(response).subarray(0, bytes))
    request.drop()
    return null
  }

/** Applies the request and sends its answer in pieces of so many bytes, each a packet of its own. */
export const splitAnswer =
  (bytes: number): Verb =>
  async (request, next) => {
    const response = await next()
    if (response === null) return null
    const frame = request.encode(response)
    for (let at = 0; at < frame.length && !request.closed.aborted; at += bytes) {
      request.write(frame.subarray(at, at + bytes))
      await new Promise(resolve => setImmediate(resolve))
    }
    return null
  }

/** Sends these bytes in place of an answer; nothing is applied and the connection stays open. */
export const garbage =
  (bytes: Uint8Array): Verb =>
  async request => {
    request.write(bytes)
    return null
  }

/** Applies the request and answers under another correlation id. */
export const wrongCorrelation =
  (shift = 1): Verb =>
  async (request, next) => {
    const response = await next()
    if (response === null) return null
    const frame = Buffer.from(request.encode(response))
    frame.writeInt32BE((request.correlationId + shift) | 0, 4)
    request.write(frame)
    return null
  }

/** Serves the request and lets a function change the response. */
export const changed =
  <Q, R>(change: (response: R, request: FaultedRequest<Q, R>) => R): Fault<Q, R> =>
  async (request, next) => {
    const response = await next()
    return response === null ? null : change(response, request)
  }
