import { creationOfEnvironment } from '../../../producer/options/environment.js'
import { resolveOptions } from '../../../producer/options/options.js'
import { combineOptions } from '../../../producer/options/sources.js'
import type { ClusterClient } from '../../cluster/client.js'
import { orAborted } from '../../connection/connect.js'
import type { ConnectionFlags } from '../../connection/flags.js'
import { resolveConnection, warn } from '../../connection/resolve.js'
import { inFlags } from '../../flagWords.js'
import { clientLog } from '../../logs.js'
import { topicNameProblem } from '../../ndjson/record.js'
import { ExitCode, UsageError } from '../../process/exit.js'
import type { Io } from '../../process/io.js'
import { plural, printable } from '../../terminal/format.js'
import { type Style, styleFor } from '../../terminal/style.js'
import { namedCodec } from '../produce/flags.js'
import { examine, wasReached } from './examine.js'
import type { Facts } from './facts.js'
import type { Finding, Level } from './finding.js'
import { judgeAddresses } from './judges/addresses.js'
import { judgeClock } from './judges/clock.js'
import { judgeCreation } from './judges/creation.js'
import { judgeReplicas } from './judges/replicas.js'
import { judgeRights } from './judges/rights.js'
import { judgeSizes } from './judges/sizes.js'
import { judgeVersions } from './judges/versions.js'

export interface DoctorFlags extends ConnectionFlags {
  readonly topic?: string
  readonly quiet?: boolean
  readonly verbose?: boolean
}

const MOST_FOR_ONE_ADDRESS_MS = 10_000

/** `resilient-producer doctor`: what would keep a producer from its work, and what to do about it. Resolves to the exit status. */
export async function doctor(flags: DoctorFlags, io: Io, signal: AbortSignal): Promise<number> {
  const { topic, verbose, quiet } = flags
  const wrongName = topic === undefined ? undefined : topicNameProblem(topic)
  if (wrongName) throw new UsageError(wrongName)
  const connection = await resolveConnection(flags, io.env)
  warn(connection, io)
  const log = clientLog(verbose === true, line => void io.stderr.write(`${line}\n`))
  const client = { create: () => creationOfEnvironment(io.env) }
  const settings = resolveOptions(combineOptions({ options: namedCodec(connection.producer), client }))
  const clients: ClusterClient[] = []
  try {
    const examination = examine({
      connection,
      log,
      settings,
      topic,
      timeoutMs: Math.min(flags.connectTimeoutMs, MOST_FOR_ONE_ADDRESS_MS),
      onClient: each => void clients.push(each),
    })
    const findings = judge(await orAborted(examination, signal))
    const style = styleFor(io.stdout, io.env)
    for (const each of findings) {
      if (quiet && (each.level === 'fine' || each.level === 'unknown')) continue
      for (const line of linesOf(each, style)) io.stdout.write(`${line}\n`)
    }
    if (!quiet) io.stdout.write(`${summary(findings)}\n`)
    return findings.some(each => each.level === 'problem') ? ExitCode.failed : ExitCode.ok
  } finally {
    await Promise.all(clients.map(each => each.close()))
  }
}

/** Where nobody was reached there is nothing else to say. */
const judge = (facts: Facts): Finding[] =>
  (wasReached(facts.seeds) ? ALL_JUDGES : [judgeAddresses]).flatMap(each => each(facts))

const ALL_JUDGES = [
  judgeAddresses,
  judgeVersions,
  judgeCreation,
  judgeReplicas,
  judgeSizes,
  judgeRights,
  judgeClock,
]

const MARKS: Readonly<Record<Level, string>> = {
  fine: 'ok      ',
  unknown: 'unknown ',
  warning: 'warning ',
  problem: 'PROBLEM ',
}

function linesOf({ level, says, remedy }: Finding, style: Style): string[] {
  const paint = { fine: style.green, unknown: style.dim, warning: style.yellow, problem: style.red }[level]
  const indent = ' '.repeat(MARKS.fine.length)
  return [
    `${paint(MARKS[level])}${printable(says)}`,
    ...(remedy ? [`${indent}-> ${printable(inFlags(remedy))}`] : []),
  ]
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter(each => each.level === level).length
  const [problems, warnings, unknowns] = [count('problem'), count('warning'), count('unknown')]
  return [
    problems > 0 ? plural(problems, 'problem') : 'no problem',
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
    ...(unknowns > 0 ? [`${unknowns} not known`] : []),
    `${count('fine')} in order`,
  ].join(', ')
}
