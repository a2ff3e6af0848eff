import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../src/cli/program.js'
import { testIo } from '../cli/support/io.js'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'

const topics = async (
  broker: Pick<TestBroker, 'bootstrap'>,
  command: 'plan' | 'apply',
  declaration: unknown,
) => {
  const file = join(tmpdir(), `${uniqueTopic('declared')}.json`)
  await writeFile(file, JSON.stringify(declaration))
  const io = testIo()
  const code = await run(['topics', command, file, '-b', broker.bootstrap.join(',')], '1.2.3', io)
  return { code, out: io.stdout.text, err: io.stderr.text }
}

forEachBroker('the command topics', { real: 'shared' }, broker => {
  test('makes topics as declared, changes them with the declaration, and sees when somebody else did', async () => {
    const name = uniqueTopic('declared')
    const declare = (topic: object) => ({ topics: [{ name, ...topic }] })
    const first = declare({
      partitions: 2,
      config: { 'cleanup.policy': 'compact', 'retention.ms': 86_400_000 },
    })
    expect(await topics(broker, 'plan', first)).toMatchObject({
      code: 3,
      err: '',
      out: expect.stringContaining(`+ ${name}  2 partitions`),
    })
    expect(await topics(broker, 'apply', first)).toMatchObject({ code: 0, err: '' })
    expect(await topics(broker, 'plan', first)).toMatchObject({ code: 0, err: '' })

    const second = declare({
      partitions: 3,
      config: {
        'cleanup.policy': 'delete, compact',
        'retention.ms': null,
        'min.cleanable.dirty.ratio': 0.25,
      },
    })
    const drift = await topics(broker, 'plan', second)
    expect(drift).toMatchObject({ code: 3, err: '' })
    for (const line of [
      `~ ${name}  partitions 2 -> 3`,
      `~ ${name}  cleanup.policy compact -> delete, compact`,
      `~ ${name}  retention.ms 86400000 -> the broker’s default`,
    ])
      expect(drift.out).toContain(line)
    expect(await topics(broker, 'apply', second)).toMatchObject({ code: 0, err: '' })
    expect(await topics(broker, 'plan', second)).toMatchObject({ code: 0, err: '' })
    expect(await topics(broker, 'plan', declare({ partitions: 1 }))).toMatchObject({ code: 3 })
  })

  test('tells of a plan what this cluster would refuse', async () => {
    const good = uniqueTopic('good')
    const declaration = {
      topics: [
        { name: uniqueTopic('wide'), replicationFactor: 30 },
        { name: uniqueTopic('typo'), config: { 'retention.mz': 1 } },
        { name: good },
      ],
    }
    const { code, err } = await topics(broker, 'plan', declaration)
    expect(code).toBe(1)
    expect(err.trim().split('\n')).toHaveLength(2)
    expect(err).toMatch(/INVALID_REPLICATION_FACTOR[\s\S]*INVALID_CONFIG/)
    expect(await topics(broker, 'plan', { topics: [{ name: good }] })).toMatchObject({
      code: 3,
      out: expect.stringContaining('1 to create'),
    })
  })
})

forEachBroker('the command topics on three brokers', { real: { brokers: 3 } }, broker => {
  test('has nothing to plan right after it has applied, whichever broker is asked', async () => {
    const names = Array.from({ length: 10 }, () => uniqueTopic('declared'))
    const declare = (partitions: number, retention: number) => ({
      defaults: { partitions, replicationFactor: 3, config: { 'retention.ms': retention } },
      topics: names.map(name => ({ name })),
    })
    for (const [partitions, retention] of [
      [2, 1_000_000],
      [3, 2_000_000],
      [5, 3_000_000],
    ] as const) {
      const wanted = declare(partitions, retention)
      expect(await topics(broker, 'apply', wanted)).toMatchObject({ code: 0, err: '' })
      for (const address of broker.bootstrap) {
        const planned = await topics({ bootstrap: [address] }, 'plan', wanted)
        expect(planned).toMatchObject({ code: 0, err: '', out: '10 topics declared: 10 as declared\n' })
      }
    }
  })
})
