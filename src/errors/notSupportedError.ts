import { NonRetriableError } from './bases.js'

/** A part of the interface that this version does not have. */
export class NotSupportedError extends NonRetriableError {
  constructor(what: string, remedy: string) {
    super(`${what} is not supported yet. ${remedy}`)
  }
}
