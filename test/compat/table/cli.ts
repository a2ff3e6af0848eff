import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { defaultKafkaVersion } from '../../kafka/cluster/version.js'
import { toMarkdown } from './markdown.js'
import { matchCases, problemsOf, type TestOutcome } from './match.js'
import { readOutcomes, runTests } from './run.js'
import { titles } from './titles.js'

const HELP = `Usage: node test/compat/table.mjs [--write] [--report FILE]

Runs the tests of test/compat and matches every case of kafkajs's specs with them. Exit status 1: a case failed, was not run,
or has neither a test nor a reason to be different.

  --write        write docs/compatibility.md
  --report FILE  do not run: take this report of vitest's JSON reporter`

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The kind of real broker that answered, as the suites' names tell. */
const kafkaOf = (outcomes: readonly TestOutcome[]): string => {
  const kinds = outcomes.flatMap(({ path, status }) => {
    const kind = /\[(\w+) Kafka\]$/.exec(path[0] ?? '')?.[1]
    return kind !== undefined && status === 'passed' ? [kind] : []
  })
  const version = process.env.KAFKA_VERSION ?? defaultKafkaVersion
  return kinds.length === 0 ? 'none was there' : `Kafka ${version}, ${[...new Set(kinds)].join(', ')}`
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { write: { type: 'boolean' }, report: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const outcomes = values.report === undefined ? await runTests(root) : readOutcomes(values.report, root)
  const rows = matchCases(titles, outcomes)
  if (values.write)
    writeFileSync(
      new URL('../../../docs/compatibility.md', import.meta.url),
      toMarkdown(titles, rows, kafkaOf(outcomes)),
    )
  const problems = problemsOf(titles, rows, outcomes)
  for (const problem of problems) console.error(problem)
  const count = rows.reduce((sum, spec) => sum + spec.rows.length, 0)
  console.log(`${count} cases, ${titles.different.length} different by design, ${problems.length} problems`)
  return problems.length > 0 ? 1 : 0
}
