import type { Message } from 'kafkajs'

/** Whether this can be a message to a topic; what cannot is the producer's to refuse, in its own words. */
export const isTraceable = (topic: unknown, message: Message): boolean =>
  typeof topic === 'string' && typeof message === 'object' && message !== null
