import { BrokerVerdictError, place } from '../errors/bases.js'
import { withoutStack } from '../errors/withoutStack.js'
import { ERROR, errorCode } from '../protocol/errorCodes.js'
import type { TopicView } from './view.js'

/** What one metadata answer says of one topic. */
export type TopicAnswer =
  /** At least one partition has a leader. */
  | { readonly kind: 'available'; readonly topic: TopicView }
  /** Not there yet: asking again can help. `nodeId` -1: a seed broker whose id is not known. */
  | { readonly kind: 'creating'; readonly errorCode: number; readonly nodeId: number }
  /** Asking again cannot help. */
  | { readonly kind: 'refused'; readonly errorCode: number; readonly nodeId: number }

/** The code -1, which Kafka lists as final: "an unexpected error", which a restarting broker answers in passing. */
const UNEXPECTED = -1

/** The answer for a topic-level error code other than 0. */
export const answerForError = (code: number, nodeId: number): TopicAnswer =>
  code === UNEXPECTED || errorCode(code).retriable
    ? { kind: 'creating', errorCode: code, nodeId }
    : { kind: 'refused', errorCode: code, nodeId }

/** A topic that exists, though none of its partitions has a leader. */
export const answerWithoutLeader = (nodeId: number): TopicAnswer => ({
  kind: 'creating',
  errorCode: ERROR.LEADER_NOT_AVAILABLE,
  nodeId,
})

/**
 * An answer as the cause of a later error. Without a stack: it would show nothing but the event loop, and 1,000 topics in
 * creation make 1,000 of these each time they are asked.
 */
export const answerError = (topic: string, code: number, nodeId: number): Error => {
  const verdict = errorCode(code)
  const broker = nodeId < 0 ? 'the broker' : `broker ${nodeId}`
  const message = `${broker} answered ${verdict.type} for ${place(topic)}: ${verdict.message}`
  return withoutStack(() => new BrokerVerdictError(message, verdict, { topic }))
}
