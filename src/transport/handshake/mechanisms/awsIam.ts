import { saslError } from '../saslErrors.js'
import { type Mechanism, textOf } from './mechanism.js'

const NUL = '\0'

/** kafkajs's mechanism `aws`, of a broker plugin; Amazon MSK's own comes as an `authenticationProvider` or as OAUTHBEARER. */
export const awsIam: Mechanism = {
  name: 'AWS',
  async authenticate({ sasl, step }) {
    const fields = ['authorizationIdentity', 'accessKeyId', 'secretAccessKey'].map(field => {
      const value = textOf(sasl, field)
      if (value === undefined || value === '') throw saslError(`SASL AWS: sasl.${field} is missing`)
      return value
    })
    await step(Buffer.from([...fields, textOf(sasl, 'sessionToken') ?? ''].join(NUL)))
  },
}
