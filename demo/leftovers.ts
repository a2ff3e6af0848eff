import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import type { Admin } from 'kafkajs'
import { plural } from '../src/cli/terminal/format.js'

export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean }
}

/**
 * Leaves a real Kafka as it was: deletes the topics that the run made, if the user wants that. Topics that were there before are never
 * touched.
 *
 * @param made topics that came to be because of the run
 */
export async function tidyUp(
  admin: Admin,
  made: readonly string[],
  wanted: 'ask' | 'delete' | 'keep',
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (made.length === 0 || wanted === 'keep') return
  const { output } = terminal
  const topics = plural(made.length, 'topic')
  if (
    wanted === 'ask' &&
    !(await isWanted(`Delete the ${topics} that this run made? [y/N] `, terminal, signal))
  ) {
    output.write(`kept ${topics} that this run made: ${made.join(', ')} (--delete-topics deletes them)\n`)
    return
  }
  await admin.deleteTopics({ topics: [...made] })
  output.write(`deleted ${topics} that this run made\n`)
}

async function isWanted(
  question: string,
  { input, output }: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  if (!input.isTTY || !output.isTTY) return false
  const asking = createInterface({ input, output })
  try {
    return /^y(es)?$/i.test((await asking.question(question, { signal })).trim())
  } finally {
    asking.close()
  }
}
