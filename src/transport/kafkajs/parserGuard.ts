import type { KafkajsConnection } from './inside.js'
import { ResponseFrames } from './responseFrames.js'

/** The correlation id, which no valid response lacks. bytes */
const MIN_RESPONSE_BYTES = 4

/**
 * Stands before kafkajs's parser, which gathers whatever size is announced, throws into the socket's listener at what it
 * cannot read, and takes answers in any order. `distrust` has to close the connection.
 */
export const guardParser = (
  connection: KafkajsConnection,
  isClosed: () => boolean,
  distrust: (problem: string, cause?: unknown) => void,
): void => {
  const { requestQueue: queue } = connection
  const parse = connection.processData.bind(connection)
  const fulfill = queue.fulfillRequest.bind(queue)
  const frames = new ResponseFrames()

  connection.processData = data => {
    if (isClosed()) return
    const unframed = connection.authHandlers != null && !connection.authExpectResponse
    const minBytes = connection.authHandlers == null ? MIN_RESPONSE_BYTES : 0
    const good = unframed ? data.length : frames.accept(data, minBytes)
    try {
      if (good > 0) parse(good === data.length ? data : data.subarray(0, good))
    } catch (error) {
      distrust('a response that cannot be read', error)
    }
    if (frames.impossibleSize !== undefined) distrust(`a response of ${frames.impossibleSize} bytes`)
  }
  queue.fulfillRequest = response => {
    // What is left of a packet whose first response closed the connection.
    if (isClosed()) return
    // A broker answers in order. Anything else could take one batch's acknowledgement for another's.
    const [expected] = queue.inflight.keys()
    if (response.correlationId === expected) fulfill(response)
    else distrust(`an answer to request ${response.correlationId} where ${expected ?? 'none'} was expected`)
  }
}
