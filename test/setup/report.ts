import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

declare module 'vitest' {
  interface TaskMeta {
    /** The real Kafka that a test runs on, or `none` where it is skipped for want of one. */
    kafka?: 'external' | 'docker' | 'local' | 'none'
  }
}

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** What `.ci/run` reads after a run. */
export interface Report extends Counts {
  node: string
  /** The tests on a real Kafka alone. */
  kafka: Counts
  /** On which kinds of broker they ran. */
  brokers: string[]
  /** The names of those that failed. */
  failures: string[]
  /** The names of those that passed at a second attempt only: to be looked into. */
  unsteady: string[]
}

/** One test as the report counts it. */
export interface Outcome {
  readonly state: keyof Counts
  readonly kafka: string | undefined
  /** File and test. */
  readonly name: string
  /** It failed before it passed. */
  readonly isUnsteady: boolean
}

export function countUp(outcomes: readonly Outcome[], errors: number): Report {
  const counts = (some: readonly Outcome[]): Counts => {
    const of = (state: keyof Counts) => some.filter(outcome => outcome.state === state).length
    return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') }
  }
  const onKafka = outcomes.filter(outcome => outcome.kafka !== undefined)
  const all = counts(outcomes)
  return {
    node: process.version,
    ...all,
    // An error outside of every test fails the run as well.
    failed: all.failed + errors,
    kafka: counts(onKafka),
    brokers: [
      ...new Set(onKafka.flatMap(({ kafka, state }) => (kafka && state !== 'skipped' ? [kafka] : []))),
    ],
    failures: outcomes.filter(({ state }) => state === 'failed').map(({ name }) => name),
    unsteady: outcomes.filter(({ isUnsteady }) => isUnsteady).map(({ name }) => name),
  }
}

/** What kind of run it was, how long it took, on which broker, and what it left out; undefined for a run of chosen files. */
export function describeForm(
  projects: ReadonlySet<string>,
  { passed, failed, skipped, brokers }: Report,
  seconds: number,
): string | undefined {
  if (projects.size < 2 || !(projects.has('unit') || projects.has('unit-short'))) return undefined
  const tests = `${passed + failed} tests in ${seconds} s, on ${brokers.length > 0 ? `a real Kafka (${brokers.join(', ')}) and ` : ''}the embedded cluster`
  const without = skipped > 0 ? `, ${skipped} skipped` : ''
  const form = projects.has('kafka-short') ? 'The short form' : 'All tests'
  const left = projects.has('kafka-short')
    ? 'Not run: those of builds, releases and documents, most of those on a real Kafka, kafkajs’s own specs and the chaos runs (npm run test:all, about 10 minutes with a broker), and the packed package in other projects (npm run test:consumers, about 8).'
    : 'Not run: the packed package in other projects (npm run test:consumers, about 8 minutes).'
  return `${form}: ${tests}${without}. ${left}`
}

/** Says at the end of a run how many tests a real Kafka has seen, and leaves the figures in a file (`TEST_REPORT` names another place). */
export default class KafkaReport implements Reporter {
  private startedAt = performance.now()

  onTestRunStart(): void {
    this.startedAt = performance.now()
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const outcomes = modules.flatMap(module => [...module.children.allTests()].map(outcomeOf))
    const broken = modules.filter(module => module.errors().length > 0).length
    const report = countUp(outcomes, broken + unhandledErrors.length)
    const file = process.env.TEST_REPORT ?? 'node_modules/.cache/kafkajs-resilient-producer/tests.json'
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
    const projects = new Set(modules.map(module => module.project.name))
    const seconds = Math.round((performance.now() - this.startedAt) / 1000)
    const line = describeForm(projects, report, seconds)
    if (line) console.log(line)
    for (const name of report.failures) console.log(`Failed: ${name}`)
    for (const name of report.unsteady) console.log(`Passed at a second attempt only: ${name}`)
    const { passed, failed, skipped } = report.kafka
    if (passed + failed + skipped === 0) return
    const where = report.brokers.length > 0 ? ` (${report.brokers.join(', ')})` : ''
    console.log(`On a real Kafka${where}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
  }
}

type Test = TestModule['children'] extends { allTests(): Iterable<infer T> } ? T : never

function outcomeOf(test: Test): Outcome {
  const { state } = test.result()
  return {
    state: state === 'pending' ? 'skipped' : state,
    kafka: test.meta().kafka,
    name: `${test.module.relativeModuleId} > ${test.fullName}`,
    isUnsteady: test.diagnostic()?.flaky ?? false,
  }
}
