import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import { EmbeddedKafka, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { served } from '../../src/testing/apis/registry.js'
import * as verbs from '../../src/testing/faults/verbs.js'

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
