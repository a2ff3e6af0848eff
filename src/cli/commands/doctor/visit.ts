import { encodeQuery, METADATA_MAX_VERSION } from '../../../metadata/requests/query.js'
import { apiVersionsApi } from '../../../protocol/messages/apiVersions.js'
import { metadataApi } from '../../../protocol/messages/metadata.js'
import type { BrokerAddress } from '../../../transport/port.js'
import { ClusterClient } from '../../cluster/client.js'
import { findProblem } from '../../connection/problem.js'
import type { Connection } from '../../connection/resolve.js'
import type { LogConfig } from '../../logs.js'
import { printable } from '../../terminal/format.js'
import type { ApiRange, Visited } from './facts.js'
import { isEnough } from './judges/versions.js'

/** A look at one address, and the way to ask who answers there. */
export interface Visit {
  readonly visited: Visited
  /** Speaks to this address alone; undefined when it was not reached. */
  readonly client: ClusterClient | undefined
  /** The cluster by this broker's word. */
  readonly brokers: readonly BrokerAddress[]
  readonly controllerId: number
}

export interface Visitor {
  readonly connection: Connection
  readonly log: LogConfig
  /** For one address. ms */
  readonly timeoutMs: number
  /** Learns of each client, which it has to close. */
  onClient(client: ClusterClient): void
}

/** Connects to one address, as a producer would, and asks who is there. */
export async function visit(address: string, visitor: Visitor): Promise<Visit> {
  const { connection, log, timeoutMs } = visitor
  const client = new ClusterClient({ ...connection, kafka: { ...connection.kafka, brokers: [address] } }, log)
  visitor.onClient(client)
  const ask = { timeoutMs }
  let apis: readonly ApiRange[] | undefined
  try {
    apis = (await client.ask(apiVersionsApi, () => ({}), { ...ask, maxVersion: LAST_PLAIN })).apiKeys
    const { brokers, controllerId, clusterId } = await client.ask(
      metadataApi,
      version => encodeQuery('brokers-only', version),
      { ...ask, maxVersion: METADATA_MAX_VERSION },
    )
    return { visited: { address, clusterId, apis }, client, brokers, controllerId }
  } catch (error) {
    // It answers, but what it speaks is not enough: that is for the judge of versions.
    return {
      visited:
        apis !== undefined && !isEnough(apis)
          ? { address, clusterId: null, apis }
          : { address, ...whyNot(error) },
      client: undefined,
      brokers: [],
      controllerId: -1,
    }
  }
}

/** From version 3 on the header of its response is another than that of all flexible ones (KIP-511). */
const LAST_PLAIN = 2

/** Of an error with its causes, the innermost tells what was met. */
const innermostOf = (error: unknown): Error => {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  return innermost instanceof Error ? innermost : new Error(String(innermost))
}

function whyNot(error: unknown): { readonly unreachable: string; readonly remedy?: string | undefined } {
  const innermost = innermostOf(error)
  const code = 'code' in innermost && typeof innermost.code === 'string' ? innermost.code : undefined
  const { what, remedy } = findProblem(innermost.message, code)
  if (remedy === undefined && innermost.name === 'KafkaJSSASLAuthenticationError') {
    return {
      unreachable: `it refuses the SASL credentials: ${printable(innermost.message)}`,
      remedy: 'look at --sasl-username, the password and --sasl-mechanism',
    }
  }
  return { unreachable: printable(what), remedy }
}
