import type { RequestContext } from '../apis/served.js'
import type { Arrived } from './arrived.js'

/**
 * Refuses a request with an error code; where the fault is for one topic, the others are served.
 *
 * @param fate whether what is refused is applied all the same, as when a broker fails between the two
 */
export const refuse = async (
  { served, body, version }: Arrived,
  errorCode: number,
  topic: string | undefined,
  fate: 'not-applied' | 'applied',
  context: RequestContext,
): Promise<unknown> => {
  const lens = served.topics
  const whole = topic === undefined || !lens
  const hit = whole ? body : (lens.only?.(body, topic) ?? lens.pick(body, each => each === topic))
  if (fate === 'applied') await served.handle(hit, context)
  const refused = served.refuse(hit, errorCode, context)
  if (whole) return refused
  const rest = lens.pick(body, each => each !== topic)
  if (lens.names(rest, version)?.length === 0) return refused
  const response = await served.handle(rest, context)
  return response === null ? null : lens.join(refused, response)
}
