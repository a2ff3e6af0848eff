import type { CaseRow, CaseStatus, SpecRows } from './match.js'
import type { Difference, Titles } from './titles.js'

const cell = (text: string) => text.replaceAll('|', '\\|').trim()
const row = (cells: readonly (string | number)[]) =>
  `| ${cells.map(each => cell(String(each))).join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

const count = (rows: readonly CaseRow[], ...statuses: CaseStatus[]) =>
  rows.filter(({ status }) => statuses.includes(status)).length

const orNone = (number: number) => (number === 0 ? 'none' : String(number))

const summary = (specs: readonly SpecRows[]) => {
  const line = (name: string, rows: readonly CaseRow[]) => [
    name,
    rows.length,
    count(rows, 'passed'),
    count(rows, 'different by design'),
    orNone(count(rows, 'failed', 'not run', 'missing')),
  ]
  const all = specs.flatMap(({ rows }) => rows)
  return table(
    ['spec', 'cases', 'passed', 'different by design', 'failed'],
    [
      ...specs.map(({ file, note, rows }) => line(`\`${file}\`${note ? ` (${note})` : ''}`, rows)),
      line('**all**', all).map(each => `**${String(each).replaceAll('*', '')}**`),
    ],
  )
}

const differences = (different: readonly Difference[]) =>
  table(
    ['case', "kafkajs's defect", 'here'],
    different.map(({ file, title, defect, here }) => [`\`${file}\`: ${title}`, defect, here]),
  )

const brokers = ({ real, embedded }: CaseRow) =>
  [real > 0 ? 'real Kafka' : '', embedded > 0 ? 'embedded' : ''].filter(each => each !== '').join(', ') || '-'

const cases = ({ file, rows }: SpecRows) =>
  [
    `### \`${file}\``,
    table(
      ['case', 'outcome', 'on', 'test'],
      rows.map(each => [
        each.title,
        each.status,
        brokers(each),
        each.files.map(name => `\`${name.replace(/^test\/compat\//, '')}\``).join(', ') || '-',
      ]),
    ),
  ].join('\n\n')

/** docs/compatibility.md */
export const toMarkdown = (titles: Titles, specs: readonly SpecRows[], kafka: string): string =>
  `${[
    '# kafkajs’s own specs',
    `kafkajs ${titles.release} has specs for its producer, and for what its admin and consumer do about topics. Each of their cases is stated again, in our own words, under its own title in \`test/compat\`, against \`ResilientKafka\` in the place of kafkajs’s \`Kafka\`: on a real broker (here: ${kafka}) and on the embedded cluster, with \`NODE_ENV=production\`, since kafkajs retries otherwise under its own tests. What its specs do by replacing parts of kafkajs’s inside is done at the socket: requests are read, refused and lost between client and broker (\`test/compat/support/wiretap.ts\`).`,
    '`node test/compat/table.mjs --write` runs the tests and writes this page. It fails where a case has neither a test that passed nor an entry in *Different by design*, which needs a defect of kafkajs, and where a test bears a title that is no case’s.',
    summary(specs),
    '## Different by design',
    differences(titles.different),
    '## Cases',
    ...specs.map(cases),
  ].join('\n\n')}\n`
