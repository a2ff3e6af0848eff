import type { Difference, Titles } from './titles.js'

/** One test of a run, as far as the table goes. */
export interface TestOutcome {
  /** The suites around it and its own title, from the outside. */
  readonly path: readonly string[]
  readonly status: 'passed' | 'failed' | 'skipped'
  readonly file: string
}

export type CaseStatus = 'passed' | 'different by design' | 'failed' | 'not run' | 'missing'

/** What became of a case of a spec. */
export interface CaseRow {
  readonly title: string
  readonly status: CaseStatus
  /** Our test files that hold it. */
  readonly files: readonly string[]
  /** How many of our tests passed: those that a real broker answered, and all others. */
  readonly real: number
  readonly embedded: number
}

export interface SpecRows {
  readonly file: string
  readonly note?: string
  readonly rows: readonly CaseRow[]
}

const SPEC = /^(src\/\S+\.spec\.js)(?: \[(.*)\])?$/

/** What a test says of a case: undefined for tests that belong to no spec. */
const caseOf = ({ path: [suite = '', ...titles] }: TestOutcome) => {
  const [, file, broker] = SPEC.exec(suite) ?? []
  return file === undefined
    ? undefined
    : { file, title: titles.join(' > '), isReal: /Kafka$/.test(broker ?? '') }
}

const key = (file: string, title: string) => `${file}\n${title}`

/** Each case with the tests that bear its title. */
export const matchCases = ({ specs, different }: Titles, outcomes: readonly TestOutcome[]): SpecRows[] => {
  const tests = new Map<string, (TestOutcome & { readonly isReal: boolean })[]>()
  for (const outcome of outcomes) {
    const found = caseOf(outcome)
    if (found === undefined) continue
    const at = key(found.file, found.title)
    tests.set(at, [...(tests.get(at) ?? []), { ...outcome, isReal: found.isReal }])
  }
  const isDifferent = (file: string, title: string) =>
    different.some(each => each.file === file && each.title === title)
  return specs.map(spec => ({
    file: spec.file,
    ...(spec.note !== undefined && { note: spec.note }),
    rows: spec.titles.map(title => {
      const own = tests.get(key(spec.file, title)) ?? []
      const passed = own.filter(({ status }) => status === 'passed')
      const real = passed.filter(({ isReal }) => isReal).length
      return {
        title,
        status: statusOf(own, isDifferent(spec.file, title)),
        files: [...new Set(own.map(({ file }) => file))],
        real,
        embedded: passed.length - real,
      }
    }),
  }))
}

const statusOf = (own: readonly TestOutcome[], isDifferent: boolean): CaseStatus => {
  if (own.some(({ status }) => status === 'failed')) return 'failed'
  if (isDifferent) return 'different by design'
  if (own.length === 0) return 'missing'
  return own.some(({ status }) => status === 'passed') ? 'passed' : 'not run'
}

/** Why the table is not what it should be; a line each. */
export const problemsOf = (
  { specs, different }: Titles,
  rows: readonly SpecRows[],
  outcomes: readonly TestOutcome[],
): string[] => {
  const known = new Set(specs.flatMap(({ file, titles }) => titles.map(title => key(file, title))))
  const strangers = outcomes.flatMap(outcome => {
    const found = caseOf(outcome)
    return found === undefined || known.has(key(found.file, found.title))
      ? []
      : [`${outcome.file}: "${found.title}" is no case of ${found.file}`]
  })
  const unknown = different.filter(({ file, title }) => !known.has(key(file, title)))
  const open = rows.flatMap(({ file, rows: cases }) =>
    cases
      .filter(({ status }) => status !== 'passed' && status !== 'different by design')
      .map(({ title, status }) => `${file}: "${title}": ${status}`),
  )
  return [
    ...open,
    ...new Set(strangers),
    ...unknown.map(({ file, title }) => `${file}: "${title}" is called different, but is no case`),
    ...different
      .filter(isVague)
      .map(({ title }) => `"${title}" is called different without a defect of kafkajs`),
  ]
}

const isVague = ({ defect, here }: Difference) => defect.trim() === '' || here.trim() === ''
