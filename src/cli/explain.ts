import type { InvalidOptionsError } from 'kafkajs-resilient-producer'
import { connectionProblem } from './connection/problem.js'
import { printable } from './terminal/format.js'

const MAX_CAUSES = 10

/** An error as one line for a person at a terminal: what could not be done and, where the cause tells it, the remedy. */
export function explain(error: unknown): string {
  const chain = causes(error)
  for (const each of chain) {
    const known = explainKnown(each)
    if (known) return printable(known)
  }
  return printable(chain[0]?.message ?? String(error), 1000)
}

/** The error and what caused it, outermost first; of several at once, the first. */
function causes(error: unknown): Error[] {
  const chain: Error[] = []
  let at = error
  while (at instanceof Error && chain.length < MAX_CAUSES) {
    chain.push(at)
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined)
  }
  return chain
}

interface CodedError extends Error {
  readonly code?: unknown
  readonly broker?: unknown
}

function explainKnown(error: CodedError): string | undefined {
  switch (error.name) {
    case 'KafkaJSSASLAuthenticationError':
      return `the broker refused the SASL credentials: ${error.message}`
    case 'KafkaJSConnectionError':
    case 'KafkaJSConnectionClosedError': {
      const broker = typeof error.broker === 'string' ? error.broker : brokerIn(error.message)
      const where = broker ? `the broker ${broker}` : 'the broker'
      const code = typeof error.code === 'string' ? error.code : undefined
      return `cannot reach ${where}: ${connectionProblem(error.message, code)}`
    }
    case 'UnreachableError':
      return error.message
    case 'InvalidOptionsError':
      return `the producer's options: ${(error as InvalidOptionsError).problems.join('; ')}`
    default:
      return undefined
  }
}

const brokerIn = (message: string): string | undefined => /[\w.-]+:\d{2,5}\b/.exec(message)?.[0]
