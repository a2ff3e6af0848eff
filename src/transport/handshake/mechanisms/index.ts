import { printable } from '../../../util/printable.js'
import type { SaslSettings } from '../../configuration.js'
import { saslError } from '../saslErrors.js'
import { awsIam } from './awsIam.js'
import { custom } from './custom.js'
import type { Mechanism } from './mechanism.js'
import { oauthBearer } from './oauthBearer.js'
import { plain } from './plain.js'
import { scramSha256, scramSha512 } from './scram.js'

export type { Mechanism } from './mechanism.js'

/** With the field that tells whether a configuration is meant for it. */
const BUILT_IN: ReadonlyMap<string, { readonly mechanism: Mechanism; readonly field: string }> = new Map(
  [
    { mechanism: plain, field: 'username' },
    { mechanism: scramSha256, field: 'username' },
    { mechanism: scramSha512, field: 'username' },
    { mechanism: oauthBearer, field: 'oauthBearerProvider' },
    { mechanism: awsIam, field: 'accessKeyId' },
  ].map(each => [each.mechanism.name, each]),
)

/** Mechanisms that send what a listener on the network could use again. */
const TELLING: ReadonlySet<string> = new Set(['PLAIN', 'OAUTHBEARER'])

/** Whether the credentials need TLS to stay secret. */
export const tellsCredentials = (sasl: SaslSettings): boolean =>
  TELLING.has(String(sasl.mechanism).toUpperCase())

/** @throws KafkaJSSASLAuthenticationError on a mechanism that nobody provides */
export const mechanismOf = (sasl: SaslSettings): Mechanism => {
  const name = String(sasl.mechanism).toUpperCase()
  const builtIn = BUILT_IN.get(name)
  const { authenticationProvider } = sasl
  if (typeof authenticationProvider === 'function' && !isOfKafkajs(sasl, builtIn?.field)) {
    return custom(name, authenticationProvider as Parameters<typeof custom>[1])
  }
  if (builtIn === undefined)
    throw saslError(
      `SASL ${printable(name)}: no such mechanism. Use ${[...BUILT_IN.keys()].join(', ')}, or give sasl.authenticationProvider.`,
    )
  return builtIn.mechanism
}

/**
 * kafkajs's own clients write the provider of a built-in mechanism into the user's object: a function without a name, beside the
 * credentials, where a user's is the value of a property and so has that name.
 */
const isOfKafkajs = (
  { authenticationProvider, ...fields }: SaslSettings,
  field: string | undefined,
): boolean =>
  field !== undefined &&
  fields[field] !== undefined &&
  (authenticationProvider as { name: string }).name === ''
