import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { markdown } from './harness/format.js'
import { installPeers } from './harness/install.js'
import { type BenchOptions, DEFAULTS } from './harness/options.js'
import { stopEverything } from './harness/process.js'
import type { Question } from './harness/question.js'
import { claimsTable, type Report } from './harness/report.js'
import { writeResult } from './harness/results.js'
import { QUESTIONS } from './questions.js'

const USAGE = `npm run bench -- <question ...> [options]

Questions, each with its peers on a fresh real broker (a local process; Java 17 and Maven needed):
${QUESTIONS.map(({ name, asks, minutes }) => `  ${name.padEnd(16)} ${asks} (about ${Math.ceil(minutes)} min)`).join('\n')}
  all              every question in turn
  micro            append, encode, CRC-32C, murmur2 by themselves
Other:
  peers            install the clients to compare with (npm, Maven, Go); what cannot be had is skipped

Options:
  --rounds N       interleaved rounds (${DEFAULTS.rounds})
  --seconds N      measured seconds of a client in a round (${DEFAULTS.seconds})
  --warmup N       seconds before them (${DEFAULTS.warmupSeconds})
  --value-bytes N  bytes of a value where the question does not fix it (${DEFAULTS.valueBytes})
  --window N       records outstanding (${DEFAULTS.window})
  --before FOLDER  a checkout with a build of this package (dist) to compare with, in the questions about speed
  --only A,B       only peers whose id contains one of these; ours always runs
  --json           also write bench/results/QUESTION.json, of which the documents are made:
                   UPDATE_DOCS=1 npx vitest run --project unit test/docs/benchmarks.test.ts`

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const printed = (report: Report): string =>
  [
    `## ${report.question}`,
    report.conditions.map(line => `- ${line}`).join('\n'),
    ...report.tables.map(markdown),
    ...(report.claims.length === 0 ? [] : [markdown(claimsTable(report.claims))]),
    ...(report.skipped.length === 0
      ? []
      : [report.skipped.map(line => `Skipped or failed: ${line}`).join('\n')]),
  ].join('\n\n')

const answer = async (
  { name, run, asks }: Question,
  options: BenchOptions,
  saves: boolean,
): Promise<void> => {
  log(`# ${name}: ${asks}`)
  const report = await run(options)
  process.stdout.write(`${printed(report)}\n\n`)
  if (saves) log(`wrote ${await writeResult(asks, report)}`)
}

const atLeast = (text: string | undefined, least: number, fallback: number, flag: string): number => {
  const value = text === undefined ? fallback : Number(text)
  if (!(value >= least)) throw new Error(`--${flag} must be a number from ${least} on`)
  return value
}

const named = (name: string): Question => {
  const question = QUESTIONS.find(each => each.name === name)
  if (question === undefined) throw new Error(`no question is named '${name}'\n\n${USAGE}`)
  return question
}

const main = async (args: string[]): Promise<void> => {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: text,
      seconds: text,
      warmup: text,
      'value-bytes': text,
      window: text,
      only: text,
      before: text,
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [command] = positionals
  if (command === undefined || values.help) return console.log(USAGE)
  if (command === 'peers') return installPeers(log)
  if (command === 'micro') return (await import('./micro/run.js')).runMicro()
  if (values.json && values.only !== undefined)
    throw new Error('--json replaces all that was measured of a question: leave --only away')
  if (values.before !== undefined) process.env.BENCH_BEFORE = resolve(values.before)
  const questions = command === 'all' ? QUESTIONS : positionals.map(named)
  const options: BenchOptions = {
    rounds: atLeast(values.rounds, 1, DEFAULTS.rounds, 'rounds'),
    seconds: atLeast(values.seconds, 0.1, DEFAULTS.seconds, 'seconds'),
    warmupSeconds: atLeast(values.warmup, 0, DEFAULTS.warmupSeconds, 'warmup'),
    valueBytes: atLeast(values['value-bytes'], 0, DEFAULTS.valueBytes, 'value-bytes'),
    window: atLeast(values.window, 1, DEFAULTS.window, 'window'),
    only: values.only?.split(',') ?? [],
    log,
  }
  for (const question of questions) {
    // One question that cannot be answered here leaves the others theirs.
    await answer(question, options, values.json).catch((error: Error) => {
      log(`${question.name} failed: ${error.message}`)
      process.exitCode = 1
    })
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopEverything()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })
}
process.once('exit', stopEverything)

try {
  await main(process.argv.slice(2))
} catch (error) {
  log(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
