import { expect, test } from 'vitest'
import { countUp, describeForm, type Outcome, type Report } from './report.js'

const outcome = (state: Outcome['state'], kafka?: string, isUnsteady = false): Outcome => ({
  state,
  kafka,
  name: `${state} on ${kafka}`,
  isUnsteady,
})

test('tests on a real Kafka are counted apart, and only those that ran name a broker', () => {
  const report = countUp(
    [outcome('passed'), outcome('passed', 'docker'), outcome('failed', 'docker'), outcome('skipped', 'none')],
    0,
  )
  expect(report).toMatchObject({
    passed: 2,
    failed: 1,
    skipped: 1,
    kafka: { passed: 1, failed: 1, skipped: 1 },
    brokers: ['docker'],
    failures: ['failed on docker'],
    unsteady: [],
  })
})

test('what passed at a second attempt only is named', () => {
  const report = countUp([outcome('passed', 'docker', true), outcome('passed', 'docker')], 0)
  expect(report).toMatchObject({ passed: 2, failed: 0, unsteady: ['passed on docker'] })
})

test('an error outside of every test counts as a failure', () => {
  expect(countUp([outcome('passed')], 1)).toMatchObject({ passed: 1, failed: 1 })
})

test('a run says which form it was, on which broker, how long it took and what it left out', () => {
  const counts = { passed: 8, failed: 1, skipped: 3 }
  const report: Report = {
    node: 'v20',
    ...counts,
    kafka: counts,
    brokers: ['docker'],
    failures: [],
    unsteady: [],
  }
  expect(describeForm(new Set(['unit-short', 'kafka-short']), report, 61)).toMatch(
    /^The short form: 9 tests in 61 s, on a real Kafka \(docker\) and the embedded cluster, 3 skipped\. Not run: .*npm run test:all.*npm run test:consumers/,
  )
  expect(describeForm(new Set(['unit', 'kafka']), { ...report, brokers: [], skipped: 0 }, 61)).toMatch(
    /^All tests: 9 tests in 61 s, on the embedded cluster\. Not run: .*npm run test:consumers/,
  )
  expect(describeForm(new Set(['unit']), report, 61)).toBeUndefined()
})
