import { AsyncLocalStorage } from 'node:async_hooks'

interface Capture {
  list: readonly unknown[] | undefined
}

const captures = new AsyncLocalStorage<Capture>()
let running = 0
let restore = (): void => {}

/**
 * Runs `build` and gives the last array that it checked with `Array.isArray`.
 *
 * kafkajs keeps the list of its brokers to itself and cuts each address at its first colon, of which an IPv6 address has many. All
 * that can be seen of the list from outside is that check (kafkajs/src/cluster/connectionPoolBuilder.js, validateBrokers). It is
 * watched only while an address is read that this cut has spoilt, and only in the calls that come from here.
 */
export const captureList = async (build: () => Promise<unknown>): Promise<readonly unknown[] | undefined> => {
  const capture: Capture = { list: undefined }
  if (running++ === 0) watch()
  try {
    await captures.run(capture, build)
  } finally {
    if (--running === 0) restore()
  }
  return capture.list
}

const watch = (): void => {
  const { isArray } = Array
  Array.isArray = (value: unknown): value is unknown[] => {
    const found = isArray(value)
    const capture = found ? captures.getStore() : undefined
    if (capture !== undefined) capture.list = value as readonly unknown[]
    return found
  }
  restore = () => {
    Array.isArray = isArray
  }
}
