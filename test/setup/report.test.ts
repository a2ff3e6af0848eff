import { expect, test } from 'vitest'
import { countUp, describeForm, type Report } from './report.js'

test('tests on a real Kafka are counted apart, and only those that ran name a broker', () => {
  const report = countUp(
    [
      { state: 'passed', kafka: undefined },
      { state: 'passed', kafka: 'docker' },
      { state: 'failed', kafka: 'docker' },
      { state: 'skipped', kafka: 'none' },
    ],
    0,
  )
  expect(report).toMatchObject({
    passed: 2,
    failed: 1,
    skipped: 1,
    kafka: { passed: 1, failed: 1, skipped: 1 },
    brokers: ['docker'],
  })
})

test('an error outside of every test counts as a failure', () => {
  expect(countUp([{ state: 'passed', kafka: undefined }], 1)).toMatchObject({ passed: 1, failed: 1 })
})

test('a run says which form it was, on which broker, how long it took and what it left out', () => {
  const counts = { passed: 8, failed: 1, skipped: 3 }
  const report: Report = { node: 'v20', ...counts, kafka: counts, brokers: ['docker'] }
  expect(describeForm(new Set(['unit', 'kafka-short']), report, 61)).toMatch(
    /^The short form: 9 tests in 61 s, on a real Kafka \(docker\) and the embedded cluster, 3 skipped\. Not run: .*npm run test:all.*npm run test:consumers/,
  )
  expect(describeForm(new Set(['unit', 'kafka']), { ...report, brokers: [], skipped: 0 }, 61)).toMatch(
    /^All tests: 9 tests in 61 s, on the embedded cluster\. Not run: .*npm run test:consumers/,
  )
  expect(describeForm(new Set(['unit']), report, 61)).toBeUndefined()
})
