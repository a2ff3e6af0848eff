import kafkajs from 'kafkajs'

// kafkajs's own class for a codec that is not there; its published type has a constructor without arguments.
const NotImplemented = kafkajs.KafkaJSNotImplemented as unknown as new (
  message: string,
  options: { readonly cause?: unknown },
) => kafkajs.KafkaJSNonRetriableError

/** There is no implementation of the codec that was asked for; the message says what to install. */
export class CompressionUnavailableError extends NotImplemented {
  static override readonly name: string = 'CompressionUnavailableError'
  override readonly name = 'CompressionUnavailableError'

  constructor(codec: string, remedy: string, cause?: unknown) {
    super(`${codec} compression is not available. ${remedy}`, { cause })
  }
}
