/** A reporter of `node --test`: how many tests passed, failed and were skipped, as `.ci/run` reads it. */
export default async function* counts(source) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for await (const { type, data } of source) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    if (data.skip !== undefined) total.skipped++
    else if (type === 'test:pass') total.passed++
    else total.failed++
  }
  yield `${JSON.stringify(total)}\n`
}
