/** A reporter of `node --test`: how many tests passed, failed and were skipped, and which failed, as `.ci/run` reads it. */
export default async function* counts(source) {
  const report = { passed: 0, failed: 0, skipped: 0, failures: [] }
  for await (const { type, data } of source) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    if (data.skip !== undefined) report.skipped++
    else if (type === 'test:pass') report.passed++
    else {
      report.failed++
      report.failures.push(data.name)
    }
  }
  yield `${JSON.stringify(report)}\n`
}
