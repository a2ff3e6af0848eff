import type { Message } from 'kafkajs'
import type { TakenMessage } from '../../delivery/intake/takenMessage.js'

const isPlain = (given: object): boolean => {
  const prototype = Object.getPrototypeOf(given)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * The message with the caller's other fields, at which a partitioner made for kafkajs may look: kafkajs hands it the caller's object.
 */
export const withOwnFields = (taken: TakenMessage, given: object): Message => {
  if (!isPlain(given)) return instanceView(taken, given)
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(taken, name)) continue
    const value = (given as Record<string, unknown>)[name]
    Object.defineProperty(taken, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return taken as Message
}

/** A class's accessors and methods need their own `this`, because of private fields. */
const instanceView = (taken: TakenMessage, given: object): Message =>
  new Proxy(taken, {
    get(fields, name) {
      if (Object.hasOwn(fields, name)) return Reflect.get(fields, name)
      const value = Reflect.get(given, name, given)
      return typeof value === 'function' ? value.bind(given) : value
    },
    has: (fields, name) => name in fields || name in given,
    getPrototypeOf: () => Object.getPrototypeOf(given),
  }) as Message
