import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { OURS_BEFORE } from './contender.js'
import { RESULTS, ROOT } from './paths.js'
import { run } from './process.js'
import type { Report } from './report.js'

/** What was measured of one question, when, and with which build: one file of bench/results each. */
export interface Result {
  /** YYYY-MM-DD */
  readonly date: string
  /** The commit of the checkout, with `+` where its sources differed from it; undefined where that is not known. */
  readonly build?: string
  readonly asks: string
  /** Its conditions name the machine, Node.js and the broker. */
  readonly report: Report
}

const buildOf = async (): Promise<string | undefined> => {
  const git = (...args: string[]) =>
    run('git', args, { cwd: ROOT }).catch(() => ({ code: undefined, stdout: '' }))
  const commit = await git('rev-parse', '--short', 'HEAD')
  if (commit.code !== 0) return undefined
  const { code } = await git('diff', '--quiet', 'HEAD', '--', 'src')
  return commit.stdout.trim() + (code === 0 ? '' : '+')
}

/** Whoever reads of the figures has no earlier build to compare with. */
const withoutBuildBefore = (report: Report): Report => {
  const isBefore = (text: string): boolean => text.includes(OURS_BEFORE.label)
  return {
    ...report,
    tables: report.tables.map(table => ({ ...table, rows: table.rows.filter(row => !row.some(isBefore)) })),
    plots: report.plots.map(plot => ({ ...plot, bars: plot.bars.filter(({ label }) => !isBefore(label)) })),
    claims: report.claims.filter(
      ({ what }) => !what.includes('the build before') && !what.includes(OURS_BEFORE.label),
    ),
    skipped: report.skipped.filter(line => !isBefore(line)),
  }
}

/** Replaces what was measured of this question before, and of no other one. Resolves with the file's path. */
export const writeResult = async (asks: string, report: Report, folder = RESULTS): Promise<string> => {
  const build = await buildOf()
  const result: Result = {
    date: new Date().toISOString().slice(0, 10),
    ...(build === undefined ? {} : { build }),
    asks,
    report: withoutBuildBefore(report),
  }
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${report.question}.json`)
  await writeFile(file, `${JSON.stringify(result, null, 1)}\n`)
  return file
}

/** By question. */
export const readResults = (folder = RESULTS): ReadonlyMap<string, Result> => {
  const files = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : []
  return new Map(
    files.map(name => [
      basename(name, '.json'),
      JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result,
    ]),
  )
}
