import { TopicCreationDisabledError, TopicCreationError } from '../../errors/index.js'
import { ERROR } from '../../protocol/errorCodes.js'
import type { CreationExplainer } from '../explain.js'
import type { AutoCreateProbe } from '../probe.js'
import { type Attempt, isUnknown, notYet, refusalError, type StrategyContext } from './strategy.js'

export interface BrokerStrategyOptions {
  readonly probe: Pick<AutoCreateProbe, 'check'>
  readonly explainer: Pick<CreationExplainer, 'explain'>
}

/** A topic that is only slow needs no explanation, and asking for one costs the controller that creates it. */
const EXPLAIN_AFTER_ATTEMPTS = 3
const EXPLAIN_AFTER_MS = 500

/** The broker creates the topic because the request that names it allows it to. */
export const createByBroker = (
  context: StrategyContext,
  { probe, explainer }: BrokerStrategyOptions,
): Attempt => {
  const { topic } = context
  const startedAt = performance.now()
  let unknowns = 0
  /** Whether a broker that was asked creates topics; `maybe` once one did not tell. */
  let creates: 'unasked' | 'maybe' | 'yes' = 'unasked'
  let explained = false

  const judge = (enabled: boolean | undefined, nodeId: number, attempts: number): void => {
    if (enabled) creates = 'yes'
    else if (enabled === undefined && creates === 'unasked') creates = 'maybe'
    // Another broker that may have begun to create it settles nothing: this one may only lag behind.
    else if (enabled === false && creates === 'unasked')
      context.fail(new TopicCreationDisabledError(topic, nodeId, { attempts }))
  }

  const explain = async (attempts: number): Promise<void> => {
    const refusal = await explainer.explain(topic)
    if (refusal) context.fail(new TopicCreationError(topic, refusal.verdict, refusal.reason, { attempts }))
  }

  return async attempt => {
    const answer = await context.lookup(attempt, true)
    if (answer.kind === 'available') return answer.topic
    if (answer.kind === 'refused') {
      const refusal =
        answer.errorCode === ERROR.INVALID_TOPIC_EXCEPTION ? await explainer.explain(topic) : undefined
      throw refusalError(topic, answer.errorCode, attempt, refusal?.reason)
    }
    if (isUnknown(answer)) {
      unknowns++
      // A seed broker without a known id cannot be asked: it takes its own id only.
      if (creates !== 'yes' && answer.nodeId >= 0) {
        const { enabled, soon } = probe.check(answer.nodeId)
        enabled.then(each => judge(each, answer.nodeId, attempt)).catch(context.fail)
        await soon
      }
      const late = performance.now() - startedAt >= EXPLAIN_AFTER_MS
      if (creates === 'yes' && !explained && unknowns >= EXPLAIN_AFTER_ATTEMPTS && late) {
        explained = true
        explain(attempt).catch(context.fail)
      }
    }
    throw notYet(topic, answer)
  }
}
