import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import * as product from 'kafkajs-resilient-producer'
import * as testing from 'kafkajs-resilient-producer/testing'
import { transformWithOxc } from 'vite'
import { describe, expect, test } from 'vitest'
import { served } from '../../src/testing/apis/registry.js'
import * as verbs from '../../src/testing/faults/verbs.js'

const { EmbeddedKafka, errorCode, hold } = testing

const readme = readFileSync(new URL('../../src/testing/README.md', import.meta.url), 'utf8')

test('the first example of the README does what it says', async () => {
  const cluster = await EmbeddedKafka.start({ brokers: 3 })
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ retry: { initialRetryTime: 10 } })
  await producer.connect()
  cluster.on('Produce', errorCode(6), { topic: 'orders' })
  const gate = cluster.gate()
  cluster.on('Produce', hold(gate))
  const sent = producer.send({ topic: 'orders', messages: [{ value: 'a' }] })
  await gate.arrived
  cluster.moveLeader('orders', 0, 2)
  gate.open()
  await sent
  cluster.check([{ topic: 'orders', id: 'a' }]).assert()
  await producer.disconnect()
  await cluster.close()
})

test('the README lists every API with its versions', () => {
  const listed = new Map<string, string>()
  for (const [, names, ranges] of readme.matchAll(/^\| ([A-Z][A-Za-z, ]+) \| ([\d, -]+) \|/gm)) {
    const each = ranges!.split(', ')
    for (const [i, name] of names!.split(', ').entries()) listed.set(name, each[i] ?? '')
  }
  const offered = Object.entries(served).map(([name, { api }]): [string, string] => {
    const { minVersion, maxVersion } = api
    return [name, minVersion === maxVersion ? `${minVersion}` : `${minVersion}-${maxVersion}`]
  })
  expect(listed).toEqual(new Map(offered))
})

test.each(Object.keys(verbs))('the README has the verb %s', verb => {
  expect(readme).toMatch(new RegExp(`^\\| .*\`${verb}[\`(]`, 'm'))
})

describe('the blocks for test runners', () => {
  const MODULES: Readonly<Record<string, unknown>> = {
    'kafkajs-resilient-producer': product,
    'kafkajs-resilient-producer/testing': testing,
  }
  const blockIn = (language: string, words: string): string =>
    [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].find(
      ([, is, code]) => is === language && code!.includes(words),
    )![2]!

  /** Runs a block as a test runner would, which `given` has the functions of. */
  const run = async (code: string, given: Readonly<Record<string, unknown>>) => {
    const hooks = { beforeEach: async () => {}, afterEach: async () => {} }
    const tests: [string, () => Promise<void>][] = []
    const runner: Readonly<Record<string, unknown>> = {
      expect,
      test: (name: string, body: () => Promise<void>) => tests.push([name, body]),
      beforeEach: (hook: typeof hooks.beforeEach) => Object.assign(hooks, { beforeEach: hook }),
      afterEach: (hook: typeof hooks.afterEach) => Object.assign(hooks, { afterEach: hook }),
      ...given,
    }
    new Function(...Object.keys(runner), code)(...Object.values(runner))
    for (const [, body] of tests) {
      await hooks.beforeEach()
      await body()
      await hooks.afterEach()
    }
    return tests.map(([name]) => name)
  }

  test('that for Vitest runs as it stands', async () => {
    const { code } = await transformWithOxc(blockIn('ts', "from 'vitest'"), 'block.ts')
    const withoutImports = code.replaceAll(
      /^import (\{[^}]*\}) from "([^"]+)";?$/gm,
      (_, names: string, path: string) =>
        path === 'vitest' ? '' : `const ${names} = modules[${JSON.stringify(path)}];`,
    )
    expect(withoutImports).not.toMatch(/^import /m)
    expect(await run(withoutImports, { modules: MODULES })).toEqual(['an order is announced'])
  })

  test('that for Jest runs as it stands', async () => {
    const code = blockIn('js', 'require(')
    const required = (path: string) => MODULES[path]
    expect(await run(code, { require: required })).toEqual(['an order is announced'])
  })
})
