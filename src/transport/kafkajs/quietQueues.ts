import type { PoolBuilder } from './cluster.js'

/** kafkajs/src/network/requestQueue/index.js */
interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

/** How often kafkajs looks again when requests are held back for a reason other than a quota. ms */
const RECHECK_MS = 10

/**
 * kafkajs looks at each connection's queue of requests every millisecond for ever, and on Node 24 by timers of negative length, of which
 * Node warns. The clients that it makes get queues with a timer only while requests are held back. A kafkajs with other queues is left
 * as it is.
 *
 * @param cluster the client's
 */
export const quietQueues = (cluster: unknown): void => {
  const { connectionPoolBuilder, connectionBuilder } = cluster as Record<
    string,
    Partial<PoolBuilder> | undefined
  >
  const poolBuilder = connectionPoolBuilder ?? connectionBuilder
  if (typeof poolBuilder?.build !== 'function') return
  const build = poolBuilder.build.bind(poolBuilder)
  poolBuilder.build = async destination => {
    const built = await build(destination)
    for (const connection of connectionsOf(built)) {
      const queue = (connection as { readonly requestQueue?: unknown } | null)?.requestQueue
      if (isRequestQueue(queue)) quiet(queue)
    }
    return built
  }
}

const connectionsOf = (built: unknown): readonly unknown[] => {
  const { pool } = built as { readonly pool?: unknown }
  return Array.isArray(pool) ? pool : [built]
}

const isRequestQueue = (queue: unknown): queue is RequestQueue => {
  if (typeof queue !== 'object' || queue === null) return false
  const { pending, throttledUntil, scheduleCheckPendingRequests, checkPendingRequests } =
    queue as Partial<RequestQueue>
  return (
    Array.isArray(pending) &&
    typeof throttledUntil === 'number' &&
    typeof scheduleCheckPendingRequests === 'function' &&
    typeof checkPendingRequests === 'function'
  )
}

const quiet = (queue: RequestQueue): void => {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId !== null) return
    const wait = queue.throttledUntil - Date.now()
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null
        queue.checkPendingRequests()
      },
      wait > 0 ? wait : RECHECK_MS,
    )
  }
}
