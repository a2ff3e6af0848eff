import { type ErrorContext, NonRetriableError, place } from './bases.js'

/** No buffer space (`bufferBytes`) came free within `maxBlockMs`, or `enqueue` was called at a full buffer. */
export class BufferFullError extends NonRetriableError {
  static override readonly name: string = 'BufferFullError'

  constructor(topic: string, context: ErrorContext & { bufferBytes: number; waitedMs: number }) {
    const { bufferBytes, waitedMs, ...rest } = context
    super(
      `A record for ${place(topic)} found no place in the buffer (bufferBytes ${bufferBytes}) within ${Math.round(waitedMs)} ms. ` +
        `Send more slowly (await send, or ready() after enqueue), or raise bufferBytes or maxBlockMs.`,
      { ...rest, topic, outcome: 'not-written' },
    )
  }
}
