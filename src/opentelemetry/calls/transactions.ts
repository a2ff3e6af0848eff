import { type Context, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Producer, Transaction } from 'kafkajs'
import { type Placement, recordError, type Tracing, type TransactionSpan } from '../tracing.js'
import { tracedSend, tracedSendBatch } from './calls.js'

/** The spans of transactions that were neither committed nor aborted yet. */
export type OpenTransactions = Set<TransactionSpan>

/** A span `transaction` from its begin to its end, with those of its messages under it. */
export const tracedTransactions =
  (tracing: Tracing, begin: Producer['transaction'], open: OpenTransactions): Producer['transaction'] =>
  async () => {
    const from = context.active()
    const its = tracing.startTransaction(from)
    open.add(its)
    try {
      return watched(await begin(), { tracing, its, from, open })
    } catch (error) {
      endTransaction(open, its, error)
      throw error
    }
  }

interface Watch {
  readonly tracing: Tracing
  readonly its: TransactionSpan
  /** The context that it was begun in. */
  readonly from: Context
  readonly open: OpenTransactions
}

/** The object is this caller's alone, so its methods are replaced in place, wherever they are kept. */
function watched(transaction: Transaction, { tracing, its, from, open }: Watch): Transaction {
  const { span } = its
  const placement = () => placementIn(span, from)
  const commit = transaction.commit.bind(transaction)
  const abort = transaction.abort.bind(transaction)
  // Wrappers of a producer may leave it out: then nothing says that a transaction can still be aborted.
  const isActive = (): boolean => transaction.isActive?.() ?? false
  let hasFailed = false
  let isAborting = false
  /** What fails later, fails because of the first. */
  const noteFailure = (error: unknown): void => {
    if (!hasFailed && open.has(its)) recordError(span, error)
    hasFailed = true
  }
  const watchedCall =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await call(...args)
      } catch (error) {
        // An abort drops what waits, which is no failure.
        if (!isAborting) noteFailure(error)
        throw error
      }
    }
  return Object.assign(transaction, {
    send: watchedCall(tracedSend(tracing, transaction.send.bind(transaction), placement)),
    sendBatch: watchedCall(tracedSendBatch(tracing, transaction.sendBatch.bind(transaction), placement)),
    ...(transaction.sendOffsets && { sendOffsets: watchedCall(transaction.sendOffsets.bind(transaction)) }),
    async commit() {
      try {
        await commit()
        // kafkajs commits what is left of a transaction in which a send has failed.
        if (!hasFailed) span.setStatus({ code: SpanStatusCode.OK })
        endTransaction(open, its)
      } catch (error) {
        noteFailure(error)
        // It can still be aborted, which is then its end.
        if (!isActive()) endTransaction(open, its)
        throw error
      }
    },
    async abort() {
      isAborting = true
      try {
        await abort()
        endTransaction(open, its)
      } catch (error) {
        noteFailure(error)
        endTransaction(open, its)
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
export function endTransaction(open: OpenTransactions, its: TransactionSpan, error?: unknown): void {
  if (!open.delete(its)) return
  if (error != null) recordError(its.span, error)
  its.end()
}
