import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { TestOutcome } from './match.js'

/** Of vitest's JSON reporter, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

export const readOutcomes = (file: string, root: string): TestOutcome[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as Report).testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      path: [...ancestorTitles, title],
      status: status === 'passed' || status === 'failed' ? status : 'skipped',
      file: relative(root, name),
    })),
  )

/** Runs the compatibility tests; what they say goes on to this process's output. */
export async function runTests(root: string): Promise<TestOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'compat-'))
  const report = join(folder, 'report.json')
  try {
    const args = ['vitest', 'run', '--project', 'kafka', 'test/compat']
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const run = spawn('npx', [...args, ...reporters], { cwd: root, stdio: 'inherit' })
    await new Promise((resolve, reject) => run.once('exit', resolve).once('error', reject))
    return readOutcomes(report, root)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
