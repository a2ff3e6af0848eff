import kafkajs, { type Kafka, type Logger, type Producer } from 'kafkajs'

const tracedProducers = new WeakSet<object>()
const told = new WeakSet<object>()

/** From now on the producer counts as traced: what `traced()` says of the producer it was given. */
export const noteTraced = (producer: object): void => void tracedProducers.add(producer)

/**
 * Says once per Kafka that an instrumentation of kafkajs is active and does not see this producer: it wraps the producers that
 * kafkajs makes, and spans and trace headers would go away without a word when the import is changed.
 */
export const tellOfInstrumentation = (kafka: Kafka, producer: Producer, logger: Logger): void => {
  if (told.has(kafka) || tracedProducers.has(producer) || isWrapped(producer.send) || !isInstrumented())
    return
  told.add(kafka)
  logger.info(
    'An instrumentation of kafkajs is active. It sees the consumers, and not this producer: for spans and trace headers of sends, use traced() of kafkajs-resilient-producer/opentelemetry.',
  )
}

/** OpenTelemetry's (also in Sentry) and others of its kind wrap methods of the prototype; dd-trace puts a class of its own in the place of kafkajs's. */
const isInstrumented = (): boolean => {
  const { prototype } = kafkajs.Kafka
  return (
    isWrapped(prototype.producer) ||
    isWrapped(prototype.consumer) ||
    Object.getPrototypeOf(kafkajs.Kafka) !== Function.prototype
  )
}

/** shimmer's mark, under either of its names. */
const isWrapped = (method: unknown): boolean =>
  typeof method === 'function' && ('__wrapped' in method || '__original' in method)
