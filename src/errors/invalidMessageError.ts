import { NonRetriableError, place } from './bases.js'

/** A message that cannot become a record: refused at the call, before anything of the call was accepted. */
export class InvalidMessageError extends NonRetriableError {
  static override readonly name: string = 'InvalidMessageError'

  constructor(topic: string, index: number, problem: string) {
    super(`Invalid message at index ${index} for ${place(topic)}: ${problem}`, {
      topic,
      outcome: 'not-written',
    })
  }
}
