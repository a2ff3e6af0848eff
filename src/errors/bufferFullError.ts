import { type ErrorContext, NonRetriableError, place } from './bases.js'

interface BufferFullContext extends ErrorContext {
  readonly bufferBytes: number
  readonly waitedMs: number
  /** Where so much waits for space that the record may not wait too. */
  readonly maxWaitingBytes?: number
}

/**
 * No buffer space (`bufferBytes`) came free within `maxBlockMs`, `enqueue` was called while the share of the record's topic or
 * partition was full, or `send` while `maxWaitingBytes` waited for space.
 */
export class BufferFullError extends NonRetriableError {
  static override readonly name: string = 'BufferFullError'

  constructor(topic: string, context: BufferFullContext) {
    const { bufferBytes, waitedMs, maxWaitingBytes, ...rest } = context
    super(
      maxWaitingBytes === undefined
        ? `A record for ${place(topic)} found no place in the buffer (bufferBytes ${bufferBytes}) within ${Math.round(waitedMs)} ms. ` +
            `Send more slowly (await send, or ready() after enqueue), or raise bufferBytes or maxBlockMs.`
        : `A record for ${place(topic)} found no place in the buffer (bufferBytes ${bufferBytes}), and cannot wait for one: maxWaitingBytes (${maxWaitingBytes}) is used up by records that wait. ` +
            `Send more slowly (await send), or raise bufferBytes or maxWaitingBytes.`,
      { ...rest, topic, outcome: 'not-written' },
    )
  }
}
