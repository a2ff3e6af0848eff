import type { CallWatch } from '../../delivery/calls/callWatch.js'

const watches = new WeakMap<object, CallWatch>()
/** Where nobody watches, no call pays for a look-up. */
let isUsed = false

/** The call that is made with this object (of `send`, `sendBatch`, or the message of `enqueue` and of a stream) tells the watch of its records. */
export const watching = <Call extends object>(call: Call, watch: CallWatch): Call => {
  isUsed = true
  watches.set(call, watch)
  return call
}

export const watchOf = (call: object): CallWatch | undefined => (isUsed ? watches.get(call) : undefined)
