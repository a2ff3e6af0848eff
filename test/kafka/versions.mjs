#!/usr/bin/env node
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

/** The releases of docs/brokers.md, the last of each. */
const KNOWN = {
  0.11: '0.11.0.3',
  1.1: '1.1.1',
  '2.0': '2.0.1',
  2.4: '2.4.1',
  2.5: '2.5.1',
  2.8: '2.8.2',
  '3.0': '3.0.2',
  3.6: '3.6.2',
  3.7: '3.7.2',
  3.9: '3.9.1',
  '4.0': '4.0.0',
  4.1: '4.1.1',
  4.2: '4.2.0',
  4.3: '4.3.0',
  4.4: '4.4.0',
}
const NEWEST = '4.4'

const usage = `npm run test:kafka -- [--kafka-version X]... [files and options of vitest]

Runs the tests on a real Kafka (all of test/kafka, or the files given) on brokers of each version, as Java processes with the jars
from Maven. X: ${Object.keys(KNOWN).join(', ')}, a whole version such as 3.7.2, or all. Default: ${NEWEST}.
What every release can do is in test/kafka/every-version.test.ts: the whole of test/kafka is for 2.8 and newer.`

const { values, positionals, tokens } = parseArgs({
  options: {
    'kafka-version': { type: 'string', multiple: true, default: [NEWEST] },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
  strict: false,
  tokens: true,
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const wanted = values['kafka-version'].flatMap(each =>
  each === 'all' ? Object.values(KNOWN) : [KNOWN[each] ?? each],
)
// An option of vitest's that takes a value has to be given as --option=value.
const own = new Set(['kafka-version', 'help'])
const passed = tokens
  .filter(each => each.kind === 'option' && !own.has(each.name))
  .map(({ rawName, value }) => (value === undefined ? rawName : `${rawName}=${value}`))
const files = positionals.length > 0 ? positionals : ['test/kafka']

const failed = []
for (const version of new Set(wanted)) {
  console.log(`\nKafka ${version}`)
  const env = { ...process.env, KAFKA_VERSION: version, KAFKA_TEST_BROKER: 'local' }
  const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'kafka', ...passed, ...files], {
    stdio: 'inherit',
    env,
  })
  if (status !== 0) failed.push(version)
}
if (failed.length > 0) {
  console.error(`Tests failed on Kafka ${failed.join(', ')}`)
  process.exit(1)
}
