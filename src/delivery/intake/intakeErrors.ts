import { NonRetriableError } from '../../errors/bases.js'
import { BufferFullError } from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { BufferBudget } from '../buffer/bufferBudget.js'

/** More waits for space already than `maxWaitingBytes` allows. */
export const bufferFull = (topic: string, { limitBytes, maxWaitingBytes }: BufferBudget): Error =>
  withoutStack(() => new BufferFullError(topic, { bufferBytes: limitBytes, waitedMs: 0, maxWaitingBytes }))

/** A value of the message cannot be written, or a user's object threw when it was read. */
export const notEncoded = (topic: string, partition: number, thrown: unknown): Error => {
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown))
  const place = { topic, partition, outcome: 'not-written', cause } as const
  return new NonRetriableError(`A record was not encoded: ${cause.message}`, place)
}
