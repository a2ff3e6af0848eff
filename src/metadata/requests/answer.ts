import { BrokerVerdictError, place } from '../../errors/bases.js'
import { withoutStack } from '../../errors/withoutStack.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { MetadataCache } from '../cache/cache.js'
import type { MetadataResponse, TopicView } from '../cache/view.js'

export interface MissingAnswer {
  readonly kind: 'creating'
  readonly errorCode: number
  readonly nodeId: number
  readonly omitted?: true
  readonly exists?: true
}

/** What one metadata answer says of one topic. */
export type TopicAnswer =
  /** At least one partition has a leader. */
  | { readonly kind: 'available'; readonly topic: TopicView }
  /**
   * Not there yet: asking again can help. `nodeId` -1: a seed broker whose id is not known. `omitted`: the broker left the
   * topic out of its answer, which says nothing about whether it exists. `exists`: it does, and none of its partitions has a leader.
   */
  | MissingAnswer
  /** Asking again cannot help. */
  | { readonly kind: 'refused'; readonly errorCode: number; readonly nodeId: number }

/** For so long the topics of one answer are taken over in one turn of the event loop. ms */
const TURN_MS = 10

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** The code -1, which Kafka lists as final: "an unexpected error", which a restarting broker answers in passing. */
const UNEXPECTED = -1

/**
 * What a metadata response says of each of the names that were asked for; the cache takes it over. Topics that nobody
 * asked for are ignored. Of several descriptions of one topic the first counts.
 *
 * Records that waited for a topic are placed while it is taken over: with thousands of topics that is cut into turns of the
 * event loop.
 *
 * @param isWanted asked after each turn; what is left is not taken over once it answers false
 * @throws {MalformedMessageError}
 */
export const answersFor = async (
  names: readonly string[],
  response: MetadataResponse,
  nodeId: number,
  cache: MetadataCache,
  isWanted: () => boolean,
): Promise<ReadonlyMap<string, TopicAnswer>> => {
  let now = performance.now()
  let turnEndsAt = now + TURN_MS
  const unanswered = new Set(names)
  const answers = new Map<string, TopicAnswer>()
  for (const metadata of response.topics) {
    const { name, errorCode: code } = metadata
    if (name === null || !unanswered.delete(name)) continue
    now = performance.now()
    if (now > turnEndsAt) {
      await nextTurn()
      if (!isWanted()) break
      now = performance.now()
      turnEndsAt = now + TURN_MS
    }
    if (code !== ERROR.NONE) answers.set(name, answerForError(code, nodeId))
    else {
      const topic = cache.applyTopic(name, metadata, now, nodeId)
      const usable = topic && topic.available.length > 0
      answers.set(name, usable ? { kind: 'available', topic } : answerWithoutLeader(nodeId))
    }
  }
  for (const name of unanswered)
    answers.set(name, {
      kind: 'creating',
      errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      nodeId,
      omitted: true,
    })
  return answers
}

/** Takes over what an answer knows better that came after another broker's. */
export const adoptLateAnswer = (
  names: readonly string[],
  response: MetadataResponse,
  cache: MetadataCache,
): void => {
  const now = performance.now()
  const asked = new Set(names)
  for (const metadata of response.topics)
    if (metadata.errorCode === ERROR.NONE && metadata.name !== null && asked.delete(metadata.name))
      cache.applyLateTopic(metadata.name, metadata, now)
}

/** The answer for a topic-level error code other than 0. */
const answerForError = (code: number, nodeId: number): TopicAnswer =>
  code === UNEXPECTED || errorCode(code).retriable
    ? { kind: 'creating', errorCode: code, nodeId }
    : { kind: 'refused', errorCode: code, nodeId }

/** A topic that exists, though none of its partitions has a leader. */
const answerWithoutLeader = (nodeId: number): TopicAnswer => ({
  kind: 'creating',
  errorCode: ERROR.LEADER_NOT_AVAILABLE,
  nodeId,
  exists: true,
})

/**
 * An answer as the cause of a later error. Without a stack: it would show nothing but the event loop, and 1,000 topics in
 * creation make 1,000 of these each time they are asked.
 */
export const answerError = (topic: string, { errorCode: code, nodeId, omitted }: MissingAnswer): Error => {
  const verdict = errorCode(code)
  const broker = nodeId < 0 ? 'the broker' : `broker ${nodeId}`
  const message = omitted
    ? `${broker} left ${place(topic)} out of its metadata answer`
    : `${broker} answered ${verdict.type} for ${place(topic)}: ${verdict.message}`
  return withoutStack(() => new BrokerVerdictError(message, verdict, { topic }))
}

/** A broker says that the topic does not exist. */
export const isUnknown = (answer: TopicAnswer): answer is MissingAnswer =>
  answer.kind === 'creating' && answer.errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION && !answer.omitted

/** For the log. */
export const outcomes = (answers: ReadonlyMap<string, TopicAnswer>): Record<string, string> =>
  Object.fromEntries(
    [...answers].map(([name, answer]) => [
      name,
      answer.kind === 'available' ? 'available' : errorCode(answer.errorCode).type,
    ]),
  )
