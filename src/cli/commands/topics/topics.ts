import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { ClusterClient } from '../../cluster/client.js'
import { Verdict } from '../../cluster/verdict.js'
import { connectWithin, orAborted } from '../../connection/connect.js'
import type { ConnectionFlags } from '../../connection/flags.js'
import { fileProblem, resolveConnection, warn } from '../../connection/resolve.js'
import { clientLog } from '../../logs.js'
import { ExitCode, UsageError } from '../../process/exit.js'
import type { Io } from '../../process/io.js'
import { plural, printable } from '../../terminal/format.js'
import { styleFor } from '../../terminal/style.js'
import { change, nameOf } from './changing.js'
import { type DeclaredTopic, parseDeclaration } from './declaration.js'
import { type Change, type Difference, differences } from './difference.js'
import { findTopics } from './found.js'
import { differenceLines, summary } from './report.js'
import { settle } from './settling.js'

export interface TopicsFlags extends ConnectionFlags {
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** `resilient-producer topics plan`: how the cluster differs from the file; changes nothing. Resolves to the exit status. */
export const planTopics = (file: string, flags: TopicsFlags, io: Io, signal: AbortSignal): Promise<number> =>
  onCluster({ file, flags, io, signal }, async ({ client, declared, print }) => {
    const found = await compare(client, declared)
    for (const each of found)
      for (const line of differenceLines(each, styleFor(io.stdout, io.env))) print(line)
    const refused = await tryEach(client, found.filter(isChange), 'validate', io)
    print(summary(declared, found))
    if (refused.length > 0) return ExitCode.failed
    return found.length > 0 ? ExitCode.drift : ExitCode.ok
  })

/** `resilient-producer topics apply`: makes the cluster as the file says, deleting nothing. Resolves to the exit status. */
export const applyTopics = (file: string, flags: TopicsFlags, io: Io, signal: AbortSignal): Promise<number> =>
  onCluster({ file, flags, io, signal }, async ({ client, declared, print }) => {
    const found = await compare(client, declared)
    for (const each of found)
      for (const line of differenceLines(each, styleFor(io.stdout, io.env))) print(line)
    const wanted = found.filter(isChange)
    const refused = await tryEach(client, wanted, 'apply', io)
    const [touched, spoilt] = [new Set(wanted.map(nameOf)), new Set(refused.map(nameOf))]
    await settle(
      client,
      declared.filter(({ name }) => touched.has(name) && !spoilt.has(name)),
    )
    const left = found.length - wanted.length
    print(
      [
        `${plural(declared.length, 'topic')} declared: ${plural(wanted.length - refused.length, 'change')} made`,
        ...(refused.length > 0 ? [`${refused.length} failed`] : []),
        ...(left > 0 ? [`${plural(left, 'difference')} left that cannot be changed here`] : []),
      ].join(', '),
    )
    if (refused.length > 0) return ExitCode.failed
    return left > 0 ? ExitCode.drift : ExitCode.ok
  })

interface Errand {
  readonly file: string
  readonly flags: TopicsFlags
  readonly io: Io
  readonly signal: AbortSignal
}

interface Desk {
  readonly client: ClusterClient
  readonly declared: readonly DeclaredTopic[]
  /** A line of the result, unless it should be quiet. */
  print(line: string): void
}

async function onCluster(
  { file, flags, io, signal }: Errand,
  work: (desk: Desk) => Promise<number>,
): Promise<number> {
  const declared = parseDeclaration(await readDeclaration(file, io), file === '-' ? 'stdin' : file)
  const connection = await resolveConnection(flags, io.env)
  warn(connection, io)
  const note = (line: string) => void io.stderr.write(`${line}\n`)
  const client = new ClusterClient(connection, clientLog(flags.verbose === true, note))
  try {
    await connectWithin(client, {
      timeoutMs: flags.connectTimeoutMs,
      brokers: connection.kafka.brokers,
      signal,
    })
    const print = (line: string) => void (flags.quiet || io.stdout.write(`${line}\n`))
    return await orAborted(work({ client, declared, print }), signal)
  } finally {
    await client.close()
  }
}

async function readDeclaration(file: string, io: Io): Promise<string> {
  if (file === '-') return text(io.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${fileProblem(error)}`)
  }
}

const compare = async (
  client: ClusterClient,
  declared: readonly DeclaredTopic[],
): Promise<readonly Difference[]> =>
  differences(declared, await client.retrying(() => findTopics(client, declared)))

const isChange = (difference: Difference): difference is Change => difference.kind !== 'unmendable'

/** One after the other, so that the first lines tell of what was done when it is interrupted. Gives those that were refused. */
async function tryEach(
  client: ClusterClient,
  changes: readonly Change[],
  intent: 'validate' | 'apply',
  io: Io,
): Promise<readonly Change[]> {
  const { red } = styleFor(io.stderr, io.env)
  const refused: Change[] = []
  for (const each of changes) {
    try {
      await change(client, each, intent)
    } catch (error) {
      if (!(error instanceof Verdict)) throw error
      refused.push(each)
      const what = intent === 'validate' ? 'the cluster would refuse' : 'the cluster refuses'
      io.stderr.write(`${red('error:')} ${what} ${nameOf(each)}: ${printable(error.words)}\n`)
    }
  }
  return refused
}
