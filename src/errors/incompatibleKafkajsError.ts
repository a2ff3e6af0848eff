import { NonRetriableError } from './bases.js'

/** The given object is not a `Kafka` of kafkajs 2, or its configuration cannot be read. */
export class IncompatibleKafkajsError extends NonRetriableError {
  static override readonly name: string = 'IncompatibleKafkajsError'

  constructor(problem: string) {
    super(
      `The given object is not a Kafka of kafkajs 2 that this package can use: ${problem}. Pass \`new Kafka({ ... })\` or its KafkaConfig.`,
    )
  }
}
