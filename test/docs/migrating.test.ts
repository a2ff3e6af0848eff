import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

const page = read('docs/migrating-from-kafkajs.md')

const rows = page
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| what |'))
  .map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )

test('every line has a verdict, and tests that are there', () => {
  expect(rows.length).toBeGreaterThan(50)
  for (const [what = '', , , verdict = '', tests = ''] of rows) {
    expect(['same', 'better', 'different'], what).toContain(verdict)
    const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)
    expect(files.length, what).toBeGreaterThan(0)
    for (const file of files) expect(existsSync(new URL(file, root)), `${what}: ${file}`).toBe(true)
  }
})

/** The fields of a type as kafkajs declares it. */
const fieldsOf = (name: string): string[] => {
  const types = read('node_modules/kafkajs/types/index.d.ts')
  const [, body = ''] =
    new RegExp(`export (?:interface|type) ${name} (?:= (?:\\w+ & )?)?\\{([^}]*)\\}`).exec(types) ?? []
  return [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, field = '']) => field)
}

test.each(['KafkaConfig', 'ProducerConfig', 'ProducerRecord', 'Message', 'Transaction', 'ProducerEvents'])(
  'every field of kafkajs’s %s is there',
  name => {
    const fields = fieldsOf(name)
    expect(fields.length).toBeGreaterThan(0)
    const named = rows.map(([what]) => what).join('\n')
    expect(fields.filter(field => !named.includes(`\`${field}`))).toEqual([])
  },
)

test('the Node.js that is asked for is the package’s', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } }
  expect(rows.find(([what]) => what === 'Node.js')?.[2]).toBe(engines.node.replace('>=', ''))
})
