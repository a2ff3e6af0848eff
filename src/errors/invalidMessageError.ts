import { NonRetriableError, place } from './bases.js'

/** A message that cannot be a record. It is refused at the call, and nothing of the call was accepted. */
export class InvalidMessageError extends NonRetriableError {
  static override readonly name: string = 'InvalidMessageError'

  constructor(topic: string, index: number, problem: string) {
    super(`Invalid message at index ${index} for ${place(topic)}: ${problem}`, {
      topic,
      outcome: 'not-written',
    })
  }
}
