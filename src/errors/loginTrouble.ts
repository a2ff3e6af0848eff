import kafkajs from 'kafkajs'
import { isError } from '../util/realms.js'
import { CredentialsProviderError } from './credentialsProviderError.js'

/** Errors may be each other's cause. */
const MOST_CAUSES = 10

/** Whether an error says that a login was refused, or that it waits for its credentials or the broker's answer. */
export const isLoginTrouble = (error: unknown): boolean => {
  let cause = error
  for (let depth = 0; depth < MOST_CAUSES && isError(cause); depth++) {
    if (cause instanceof kafkajs.KafkaJSSASLAuthenticationError || cause instanceof CredentialsProviderError)
      return true
    if ('step' in cause) return cause.step === 'credentials' || cause.step === 'SASL'
    cause = cause.cause
  }
  return false
}
