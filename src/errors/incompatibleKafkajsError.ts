import { NonRetriableError } from './bases.js'

/** The object given is not a kafkajs 2.2 `Kafka`, or its inside is not the one this version was written for. */
export class IncompatibleKafkajsError extends NonRetriableError {
  static override readonly name: string = 'IncompatibleKafkajsError'

  constructor(problem: string) {
    super(
      `This is not a Kafka of kafkajs 2.2.x that can be wrapped: ${problem}. Pass \`new Kafka({ ... })\` of kafkajs ~2.2.4.`,
    )
  }
}
