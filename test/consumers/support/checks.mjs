// Runs checks by name, one after the other, and counts them for .ci/run (TEST_REPORT names a file).
import { writeFile } from 'node:fs/promises'

const counts = { node: process.version, passed: 0, failed: 0, skipped: 0 }

/** `checks`: name to function. A check that throws has failed; the others still run. */
export async function check(checks, ...args) {
  for (const [name, each] of Object.entries(checks)) {
    const from = performance.now()
    const took = () => `${((performance.now() - from) / 1000).toFixed(1)} s`
    try {
      await each(...args)
      counts.passed++
      console.log(`✓ ${name} (${took()})`)
    } catch (error) {
      failed(name, error)
    }
  }
}

export function failed(name, error) {
  counts.failed++
  const said = [error.stdout, error.stderr].filter(Boolean).join('\n')
  console.log(
    `✗ ${name}\n${said ? said.slice(-4000) : ''}${said && error.code !== undefined ? '' : error.message}`,
  )
}

export function skipped(name, reason) {
  counts.skipped++
  console.log(`- ${name}: not run, ${reason}`)
}

export async function report(what) {
  const { passed, failed, skipped } = counts
  const seconds = Math.round(performance.now() / 1000)
  console.log(
    `${what} on Node ${process.version}: ${passed} passed, ${failed} failed, ${skipped} skipped, in ${seconds} s`,
  )
  if (process.env.TEST_REPORT) await writeFile(process.env.TEST_REPORT, JSON.stringify(counts))
  process.exitCode = failed > 0 ? 1 : 0
}
