import { setTimeout as sleep } from 'node:timers/promises'

/** Calls `look` every `everyMs` until it returns something; throws after `timeoutMs` with what was waited for. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { timeoutMs, everyMs = 50 }: { timeoutMs: number; everyMs?: number },
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`gave up waiting for ${what} after ${timeoutMs} ms`)
    await sleep(everyMs)
  }
}

/** The promise's result, or an error once `timeoutMs` are over: for calls into libraries that have no bound of their own. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    clearTimeout(timer)
  }
}
