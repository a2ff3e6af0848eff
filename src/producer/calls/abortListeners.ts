interface Listeners {
  readonly callbacks: Set<() => void>
  readonly run: () => void
}

const listening = new WeakMap<AbortSignal, Listeners>()

const listen = (signal: AbortSignal): Listeners => {
  const callbacks = new Set<() => void>()
  const run = (): void => {
    listening.delete(signal)
    for (const callback of callbacks) callback()
  }
  signal.addEventListener('abort', run, { once: true })
  const listeners = { callbacks, run }
  listening.set(signal, listeners)
  return listeners
}

/**
 * Calls back when the signal is aborted. All callbacks of a signal share one listener: a service's sends often share
 * one signal, and with a listener each Node would warn of a leak from the eleventh on, and look for each in a list.
 *
 * @param callback must be another function for each call
 * @returns what ends it
 */
export const onAbort = (signal: AbortSignal, callback: () => void): (() => void) => {
  const { callbacks, run } = listening.get(signal) ?? listen(signal)
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0 || signal.aborted) return
    signal.removeEventListener('abort', run)
    listening.delete(signal)
  }
}
