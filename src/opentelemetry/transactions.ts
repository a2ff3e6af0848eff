import { type Context, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Producer, Transaction } from 'kafkajs'
import { tracedSend, tracedSendBatch } from './calls.js'
import { type Placement, recordError, type Tracing } from './tracing.js'

/** The spans of transactions that were neither committed nor aborted yet. */
export type OpenTransactions = Set<Span>

/** A span `transaction` from its begin to its end, with those of its messages under it. */
export const tracedTransactions =
  (tracing: Tracing, begin: Producer['transaction'], open: OpenTransactions): Producer['transaction'] =>
  async () => {
    const from = context.active()
    const span = tracing.startTransaction(from)
    open.add(span)
    try {
      return watched(await begin(), { tracing, span, from, open })
    } catch (error) {
      endTransaction(open, span, error)
      throw error
    }
  }

interface Watch {
  readonly tracing: Tracing
  readonly span: Span
  /** The context that it was begun in. */
  readonly from: Context
  readonly open: OpenTransactions
}

/** The object is this caller's alone, so its methods are replaced in place, wherever they are kept. */
function watched(transaction: Transaction, { tracing, span, from, open }: Watch): Transaction {
  const placement = () => placementIn(span, from)
  const commit = transaction.commit.bind(transaction)
  const abort = transaction.abort.bind(transaction)
  const isActive = transaction.isActive.bind(transaction)
  return Object.assign(transaction, {
    send: tracedSend(tracing, transaction.send.bind(transaction), placement),
    sendBatch: tracedSendBatch(tracing, transaction.sendBatch.bind(transaction), placement),
    async commit() {
      try {
        await commit()
        span.setStatus({ code: SpanStatusCode.OK })
        endTransaction(open, span)
      } catch (error) {
        // It can still be aborted, which is then its end.
        if (isActive()) recordError(span, error)
        else endTransaction(open, span, error)
        throw error
      }
    },
    async abort() {
      try {
        await abort()
        endTransaction(open, span)
      } catch (error) {
        endTransaction(open, span, error)
        throw error
      }
    },
  })
}

/**
 * Under the transaction's span, unless the message has a caller of its own meanwhile, as one of several consumed messages that
 * go into one transaction: then under that caller's, with a link to the transaction's.
 */
function placementIn(span: Span, from: Context): Placement {
  const now = context.active()
  const caller = trace.getSpan(now)
  if (caller === undefined || caller === trace.getSpan(from) || caller === span) {
    return { parent: trace.setSpan(now, span), links: [] }
  }
  return { parent: now, links: [{ context: span.spanContext() }] }
}

/** Only the first end counts. */
export function endTransaction(open: OpenTransactions, span: Span, error?: unknown): void {
  if (!open.delete(span)) return
  if (error != null) recordError(span, error)
  span.end()
}
