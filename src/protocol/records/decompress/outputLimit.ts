import { MalformedMessageError } from '../../wire/malformed.js'

/** What the records of one batch may unpack to: a bound against decompression bombs, far over any `message.max.bytes` in use. */
export const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** The records unpack to more than {@link MAX_OUTPUT_BYTES}. */
export class OutputTooLargeError extends MalformedMessageError {
  constructor() {
    super(`they unpack to more than ${MAX_OUTPUT_BYTES} bytes`)
  }
}

/** @throws {OutputTooLargeError} before the memory is taken */
export const checkOutput = (bytes: number): void => {
  if (bytes > MAX_OUTPUT_BYTES) throw new OutputTooLargeError()
}
