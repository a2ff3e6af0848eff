import type { InvalidOptionsError } from 'kafkajs-resilient-producer'
import { connectionProblem } from './connection/problem.js'
import { inFlags } from './flagWords.js'
import { UsageError } from './process/exit.js'
import { printable } from './terminal/format.js'

const MAX_CAUSES = 10

/**
 * An error for a person at a terminal, in one line: what could not be done and, where the cause tells it, the remedy. Several problems
 * of a file or of the options are a line each.
 */
export const explain = (error: unknown): string => explanations(error).join('\n')

function explanations(error: unknown): readonly string[] {
  const chain = causes(error)
  for (const each of chain) {
    const problems = problemsOf(each)
    if (problems) return problems.map(problem => printable(problem, 1000))
    const known = explainKnown(each)
    if (known) return [printable(known)]
  }
  return [printable(inFlags(chain[0]?.message ?? String(error)), 1000)]
}

function problemsOf(error: Error): readonly string[] | undefined {
  if (error instanceof UsageError) return error.problems
  if (error.name !== 'InvalidOptionsError') return undefined
  const { problems } = error as InvalidOptionsError
  return problems.map(problem => `the producer's options: ${problem}`)
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
  readonly type?: unknown
  readonly broker?: unknown
}

function explainKnown(error: CodedError): string | undefined {
  switch (error.name) {
    case 'KafkaJSSASLAuthenticationError': {
      const problem = connectionProblem(error.message)
      return problem === error.message
        ? `the broker refused the SASL credentials: ${error.message}`
        : `cannot log in to the broker: ${problem}`
    }
    case 'KafkaJSProtocolError':
      return error.type === 'ILLEGAL_SASL_STATE'
        ? `cannot log in to the broker: ${connectionProblem(error.type)}`
        : undefined
    case 'KafkaJSConnectionError':
    case 'KafkaJSConnectionClosedError': {
      const broker = typeof error.broker === 'string' ? error.broker : brokerIn(error.message)
      const where = broker ? `the broker ${broker}` : 'the broker'
      const code = typeof error.code === 'string' ? error.code : undefined
      return `cannot reach ${where}: ${connectionProblem(error.message, code)}`
    }
    case 'UnreachableError':
      return error.message
    default:
      return undefined
  }
}

const brokerIn = (message: string): string | undefined => /[\w.-]+:\d{2,5}\b/.exec(message)?.[0]
