import kafkajs from 'kafkajs'
import { printable } from '../../util/printable.js'

/** kafkajs's types leave its parameter off. */
const RefusedError = kafkajs.KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error

export const saslError = (message: string): Error => new RefusedError(printable(message))

/** A login that cannot succeed as it is, in kafkajs's words: 'SCRAM SHA256'. @param reason may come from outside */
export const saslRefusal = (mechanism: string, reason: string): Error =>
  saslError(`SASL ${mechanism.replace(/^SCRAM-SHA-/, 'SCRAM SHA')} authentication failed: ${reason}`)
