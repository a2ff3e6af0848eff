import { errorCode } from '../../protocol/errorCodes.js'

/** What a broker answered instead of what was asked for. */
export class Verdict extends Error {
  override name = 'Verdict'

  /** The broker's own words, where it has some, and the error's name. */
  readonly words: string

  constructor(
    what: string,
    readonly code: number,
    message: string | null,
  ) {
    const verdict = errorCode(code)
    const words = `${message || verdict.message} (${verdict.type})`
    super(`${what}: ${words}`)
    this.words = words
  }

  get retriable(): boolean {
    return errorCode(this.code).retriable
  }
}
