import { expect, test } from 'vitest'
import { countUp } from './report.js'

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
