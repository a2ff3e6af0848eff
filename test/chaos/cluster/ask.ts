import type { Api } from '../../../src/protocol/api.js'
import { within } from '../../kafka/cluster/wait.js'
import { RawClient } from '../../testing/support/rawClient.js'

const ASK_MS = 5_000

/** One request to one broker on a connection of its own. Rejects when it is gone, frozen or silent. */
export const ask = async <In, Out>(
  address: string,
  api: Api<unknown, In, Out, never>,
  version: number,
  body: In,
): Promise<Out> => {
  const client = await within(ASK_MS, `connecting to ${address}`, RawClient.connect(address))
  try {
    const answer = await within(ASK_MS, `${api.name} at ${address}`, client.call(api, version, body))
    if (answer === undefined) throw new Error(`${address} has cut the connection`)
    return answer
  } finally {
    await client.close()
  }
}

/** The same to whichever broker answers first, in order. Rejects with the last one's failure. */
export const askAny = async <In, Out>(
  addresses: readonly string[],
  api: Api<unknown, In, Out, never>,
  version: number,
  body: In,
): Promise<Out> => {
  let failure: unknown
  for (const address of addresses) {
    try {
      return await ask(address, api, version, body)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
