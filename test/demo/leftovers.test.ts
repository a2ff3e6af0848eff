import { PassThrough } from 'node:stream'
import { Kafka, logLevel } from 'kafkajs'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tidyUp } from '../../demo/leftovers.js'

let cluster: EmbeddedKafka
beforeEach(async () => {
  cluster = await EmbeddedKafka.start()
  for (const topic of ['mine', 'mine-too', 'theirs']) cluster.createTopic(topic)
})
afterEach(() => cluster.close())

const tidied = async (wanted: 'ask' | 'delete' | 'keep', answer?: string, made = ['mine', 'mine-too']) => {
  const isTTY = answer !== undefined
  const input = Object.assign(new PassThrough(), { isTTY })
  const output = Object.assign(new PassThrough(), { isTTY })
  let said = ''
  output.on('data', chunk => {
    const asks = !said.includes('[y/N] ')
    said += String(chunk)
    if (asks && said.includes('[y/N] ')) input.write(`${answer}\n`)
  })
  const admin = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await tidyUp(admin, made, wanted, { input, output }, new AbortController().signal)
  await admin.disconnect()
  return said
}

describe('the topics that a run made on a real Kafka', () => {
  it.each(['y', 'Yes'])('are deleted when the user says %s, and no other', async answer => {
    const said = await tidied('ask', answer)
    expect(said).toContain('Delete the 2 topics that this run made? [y/N] ')
    expect(said).toContain('deleted 2 topics')
    expect(cluster.topics).toEqual(['theirs'])
  })

  it.each([
    ['ask', 'n'],
    ['ask', ''],
    ['ask', undefined],
    ['keep', undefined],
  ] as const)('stay with %s and the answer %s', async (wanted, answer) => {
    const said = await tidied(wanted, answer)
    expect(cluster.topics).toHaveLength(3)
    expect(said.endsWith('mine, mine-too (--delete-topics deletes them)\n')).toBe(wanted === 'ask')
  })

  it('are deleted without a question by --delete-topics', async () => {
    expect(await tidied('delete')).toBe('deleted 2 topics that this run made\n')
    expect(cluster.topics).toEqual(['theirs'])
  })

  it('need no question where there are none', async () => {
    expect(await tidied('delete', 'y', [])).toBe('')
    expect(cluster.topics).toHaveLength(3)
  })
})
