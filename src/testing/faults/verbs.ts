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

/**
 * Refuses with an error code; nothing is applied.
 *
 * @example cluster.on('Produce', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
 */
export const errorCode =
  (code: number): Verb =>
  request =>
    request.refuse(code)

/**
 * Applies the request, then refuses it with an error code: as with REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND.
 *
 * @example cluster.on('Produce', errorAfterApply(ERROR.REQUEST_TIMED_OUT))
 */
export const errorAfterApply =
  (code: number): Verb =>
  request =>
    request.refuse(code, 'applied')

/**
 * Closes the connection; nothing is applied.
 *
 * @example cluster.on('Produce', dropBeforeApply)
 */
export const dropBeforeApply: Verb = async request => {
  request.drop()
  return null
}

/**
 * Applies the request, then closes the connection instead of answering.
 *
 * @example cluster.on('Produce', dropAfterApply)
 */
export const dropAfterApply: Verb = async (request, next) => {
  await next()
  request.drop()
  return null
}

/**
 * Neither applies nor answers the request. The connection stays open, and serves no later request.
 *
 * @example cluster.on('Produce', hang)
 */
export const hang: Verb = request => closedOf(request.closed)

/**
 * Applies the request and never answers it. The connection stays open, and serves no later request.
 *
 * @example cluster.on('Produce', hangAfterApply)
 */
export const hangAfterApply: Verb = async (request, next) => {
  await next()
  return closedOf(request.closed)
}

/**
 * Holds the request back until the gate opens, then applies it, even when its client has given up the connection in the meantime: as a broker
 * does with a request in its queue.
 *
 * @example
 * const gate = cluster.gate()
 * cluster.on('Produce', hold(gate))
 * await gate.arrived
 * gate.open()
 */
export const hold =
  (gate: Gate): Verb =>
  async (request, next) =>
    (await gate.wait(request.stopped)) === 'opened' ? next() : null

/**
 * Applies the request at once and holds its answer back until the gate opens.
 *
 * @example cluster.on('Produce', holdAnswer(cluster.gate()))
 */
export const holdAnswer =
  (gate: Gate): Verb =>
  async (request, next) => {
    const response = await next()
    return (await gate.wait(request.closed)) === 'opened' ? response : null
  }

/**
 * Applies the request this late, in ms. Prefer {@link hold}: a gate forces an order, a delay only makes it likely.
 *
 * @example cluster.on('Metadata', delayed(50))
 */
export const delayed =
  (ms: number): Verb =>
  async (request, next) => {
    await delay(ms, undefined, { signal: request.stopped }).catch(() => {})
    return request.stopped.aborted ? null : next()
  }

/**
 * Serves the request with this throttle time, in ms, then reads nothing from the connection for that time (KIP-219).
 *
 * @example cluster.on('Produce', throttle(100))
 */
export const throttle =
  (ms: number): Verb =>
  async (request, next) => {
    const response = await next()
    request.mute(ms)
    return response === null ? null : { ...response, throttleTimeMs: ms }
  }

/**
 * Applies the request, sends that many bytes of the answer, and closes the connection.
 *
 * @example cluster.on('Produce', partialAnswer(10))
 */
export const partialAnswer =
  (bytes: number): Verb =>
  async (request, next) => {
    const response = await next()
    if (response !== null) request.write(request.encode(response).subarray(0, bytes))
    request.drop()
    return null
  }

/**
 * Applies the request and sends its answer in pieces of that many bytes, each a packet of its own.
 *
 * @example cluster.on('Produce', splitAnswer(1))
 */
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

/**
 * Sends these bytes instead of an answer; nothing is applied, and the connection stays open.
 *
 * @example cluster.on('Metadata', garbage(Buffer.from('HTTP/1.1 400 Bad Request')))
 */
export const garbage =
  (bytes: Uint8Array): Verb =>
  async request => {
    request.write(bytes)
    return null
  }

/**
 * Applies the request and answers with another correlation id.
 *
 * @param shift - what is added to the request's id; 1 by default
 * @example cluster.on('Produce', wrongCorrelation())
 */
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

/**
 * Serves the request and lets a function change the response.
 *
 * @example cluster.on('Metadata', changed(response => ({ ...response, brokers: [] })))
 */
export const changed =
  <Q, R>(change: (response: R, request: FaultedRequest<Q, R>) => R): Fault<Q, R> =>
  async (request, next) => {
    const response = await next()
    return response === null ? null : change(response, request)
  }
