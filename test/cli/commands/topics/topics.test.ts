import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  changed,
  dropAfterApply,
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  errorCode,
} from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../../src/cli/program.js'
import { testIo } from '../../support/io.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cli-topics-'))
})
afterAll(() => rm(dir, { recursive: true }))

let cluster: EmbeddedKafka
const startCluster = async (options: EmbeddedKafkaOptions = {}) => {
  cluster = await EmbeddedKafka.start(options)
}
afterEach(async () => {
  expect(cluster.journal.allTopicsRequests()).toEqual([])
  expect(cluster.journal.of('Metadata').filter(each => each.allowAutoTopicCreation)).toEqual([])
  await cluster.close()
})

const topics = async (command: 'plan' | 'apply', declaration: unknown, ...flags: string[]) => {
  const io = testIo({ stdin: JSON.stringify(declaration) })
  const argv = ['topics', command, '-', '-b', cluster.bootstrap.join(','), ...flags]
  return { code: await run(argv, '1.2.3', io), out: io.stdout.text, err: io.stderr.text }
}

const DECLARATION = {
  defaults: { partitions: 2, replicationFactor: 1, config: { 'min.insync.replicas': 1 } },
  topics: [
    { name: 'new' },
    { name: 'few', partitions: 3 },
    { name: 'other', config: { 'cleanup.policy': 'compact', 'retention.ms': null } },
    { name: 'same', config: { 'cleanup.policy': 'delete , compact' } },
  ],
}
/** As DECLARATION wants it but for its first three topics. */
const startDiffering = async () => {
  await startCluster()
  cluster.createTopic('few', { partitions: 1 })
  cluster.createTopic('other', { partitions: 2, configs: { 'retention.ms': '1000', 'segment.ms': '77' } })
  cluster.createTopic('same', { partitions: 2, configs: { 'cleanup.policy': 'compact,delete' } })
  cluster.createTopic('undeclared')
}

describe('resilient-producer topics plan', () => {
  it('shows what differs, touches nothing, and ends with status 3', async () => {
    await startDiffering()
    const { code, out, err } = await topics('plan', DECLARATION)
    expect(out.split('\n')).toEqual([
      '+ new  2 partitions, 1 replica, min.insync.replicas=1',
      '~ few  partitions 1 -> 2'.replace('2', '3'),
      '    records with a key go to other partitions from then on',
      '~ other  cleanup.policy delete -> compact',
      '~ other  retention.ms 1000 -> the broker’s default',
      '4 topics declared: 1 to create, 2 to change, 1 as declared',
      '',
    ])
    expect({ code, err }).toEqual({ code: 3, err: '' })
    expect(await topics('plan', DECLARATION)).toEqual({ code, out, err })
    for (const api of ['CreateTopics', 'CreatePartitions', 'IncrementalAlterConfigs'] as const)
      expect(
        cluster.journal.of(api).every(({ body }) => (body as { validateOnly: boolean }).validateOnly),
      ).toBe(true)
  })

  it('ends with status 0 when nothing differs, whatever else is there', async () => {
    await startDiffering()
    const declaration = {
      topics: [{ name: 'same', config: { 'retention.ms': 604_800_000 } }, { name: 'few' }],
    }
    expect(await topics('plan', declaration)).toEqual({
      code: 0,
      out: '2 topics declared: 2 as declared\n',
      err: '',
    })
    expect(await topics('plan', { topics: [] })).toMatchObject({ code: 0 })
  })

  it('tells what the cluster would refuse, in its words, with status 1', async () => {
    await startCluster()
    const declaration = {
      topics: [
        { name: 'a', replicationFactor: 3 },
        { name: 'b', config: { 'cleanup.polizy': 'compact' } },
        { name: 'c' },
      ],
    }
    const { code, out, err } = await topics('plan', declaration)
    expect(code).toBe(1)
    expect(err.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^error: the cluster would refuse a: .*replication factor.*\(INVALID_REPLICATION_FACTOR\)$/,
      ),
      'error: the cluster would refuse b: Unknown topic config name: cleanup.polizy (INVALID_CONFIG)',
    ])
    expect(out).toContain('+ c  the broker’s partitions, the broker’s replicas')
  })

  it('leaves to a person what would delete or move records', async () => {
    await startCluster({ brokers: 3 })
    cluster.createTopic('t', { partitions: 4, replicationFactor: 2 })
    const declaration = { topics: [{ name: 't', partitions: 3, replicationFactor: 3 }] }
    const plan = await topics('plan', declaration)
    expect(plan.code).toBe(3)
    expect(plan.out).toMatch(
      /! t {2}partitions 4 -> 3\n {4}Kafka has no way .*\n! t {2}replicas 2 -> 3\n {4}.*reassign/,
    )
    expect(plan.out).toContain('1 topic declared: 1 that cannot be changed here, 0 as declared')
    const apply = await topics('apply', declaration)
    expect(apply.code).toBe(3)
    expect(apply.out).toContain('0 changes made, 2 differences left that cannot be changed here')
  })

  it('names every mistake of the file at once, with status 2, before it asks anybody', async () => {
    await startCluster()
    const { code, out, err } = await topics('plan', {
      topics: [
        { name: 'a b', partitions: 0 },
        { name: 'x', replicas: 3, config: { 'retention.ms': [1] } },
        { name: 'x', replicationFactor: '3' },
        7,
      ],
      default: {},
    })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    for (const problem of [
      'unknown entry "default"',
      '"topics[0].name" not a legal topic name: "a b"',
      '"topics[0].partitions" must be a number from 1 to 100000',
      'unknown entry "topics[1].replicas"',
      '"topics[1].config.retention.ms" must be a text',
      '"topics[2].replicationFactor" must be a number',
      '"topics[3]" must be an object',
      '"x" is declared 2 times',
    ])
      expect(err).toContain(problem)
    expect(cluster.journal.entries).toEqual([])
  })

  it.each([
    ['oops', /^error: .*topics\.json is not JSON/],
    ['[]', /topics\.json must hold a JSON object with a list "topics"/],
    ['{}', /topics\.json: "topics" must be a list/],
    ['{"topics":[],"defaults":7}', /"defaults" must be an object/],
    ['{"topics":[{"name":"x","config":7}]}', /"topics\[0\]\.config" must be an object/],
  ])('refuses the file %j', async (text, complaint) => {
    await startCluster()
    const file = join(dir, 'topics.json')
    await writeFile(file, text)
    const io = testIo()
    expect(await run(['topics', 'plan', file, '-b', cluster.bootstrap[0]!], '1.2.3', io)).toBe(2)
    expect(io.stderr.text).toMatch(complaint)
  })

  it('refuses a file that cannot be read', async () => {
    await startCluster()
    const io = testIo()
    expect(await run(['topics', 'apply', '/nowhere/t.json', '-b', 'a:1'], '1.2.3', io)).toBe(2)
    expect(io.stderr.text).toBe('error: cannot read /nowhere/t.json: no such file or directory\n')
  })
})

describe('resilient-producer topics apply', () => {
  it('makes the cluster as declared, and has nothing to do the second time', async () => {
    await startDiffering()
    const { code, out, err } = await topics('apply', DECLARATION)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('4 topics declared: 3 changes made\n')
    expect(await topics('plan', DECLARATION)).toMatchObject({
      code: 0,
      out: '4 topics declared: 4 as declared\n',
    })
    expect(await topics('apply', DECLARATION, '--quiet')).toEqual({ code: 0, out: '', err: '' })
    // What the file does not name stays as it is.
    const kept = {
      topics: [
        { name: 'other', config: { 'segment.ms': 77 } },
        { name: 'undeclared', partitions: 1 },
      ],
    }
    expect(await topics('plan', kept)).toMatchObject({ code: 0 })
  })

  it('makes the rest when the cluster refuses one, and ends with status 1', async () => {
    await startCluster()
    cluster.deny('b', ['create'])
    const { code, out, err } = await topics('apply', {
      topics: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    })
    expect(code).toBe(1)
    expect(err).toBe('error: the cluster refuses b: Authorization failed. (TOPIC_AUTHORIZATION_FAILED)\n')
    expect(out).toContain('3 topics declared: 2 changes made, 1 failed')
    expect(await topics('plan', { topics: [{ name: 'a' }, { name: 'c' }] })).toMatchObject({ code: 0 })
  })

  it('goes on after an answer that was lost, a quota and a busy controller', async () => {
    await startDiffering()
    cluster.on('CreateTopics', dropAfterApply)
    cluster.on('CreatePartitions', errorCode(41))
    cluster.on('CreatePartitions', dropAfterApply)
    cluster.on('IncrementalAlterConfigs', errorCode(89))
    expect(await topics('apply', DECLARATION)).toMatchObject({ code: 0, err: '' })
    expect(await topics('plan', DECLARATION)).toMatchObject({ code: 0 })
  })

  it('makes the rest where the brokers are too old to change a single setting', async () => {
    await startCluster({ maxVersions: { IncrementalAlterConfigs: 'none' } })
    cluster.createTopic('a')
    const declaration = { topics: [{ name: 'a', config: { 'cleanup.policy': 'compact' } }, { name: 'b' }] }
    const { code, out, err } = await topics('apply', declaration)
    expect(code).toBe(1)
    expect(err).toContain('refuses a: the brokers are too old for this change (UNSUPPORTED_VERSION)')
    expect(out).toContain('1 change made, 1 failed')
  })

  it('finds the controller again when it is another one by now', async () => {
    await startCluster({ brokers: 3, autoCreate: { style: 'zk' } })
    const formerly = (cluster.controllerId + 1) % 3
    // As it was when the command connected, and when it looked at the topics.
    cluster.on(
      'Metadata',
      changed(response => ({ ...response, controllerId: formerly })),
      { times: 2 },
    )
    expect(await topics('apply', { topics: [{ name: 't' }] })).toMatchObject({ code: 0, err: '' })
    const asked = cluster.journal.of('CreateTopics').map(each => each.node)
    expect(asked).toEqual([formerly, cluster.controllerId])
  })

  it('ends when every broker knows of what it made', async () => {
    await startCluster({ brokers: 2 })
    const UNKNOWN_TOPIC = 3
    // Before it is made, both are asked once at most; a fault that is left over fails the end of the test.
    cluster.on('CreateTopics', (_, next) => {
      cluster.on('Metadata', errorCode(UNKNOWN_TOPIC), { topic: 't', node: 0, times: 2 })
      cluster.on('DescribeConfigs', errorCode(UNKNOWN_TOPIC), { node: 1, times: 2 })
      return next()
    })
    const declaration = { topics: [{ name: 't', config: { 'cleanup.policy': 'compact' } }] }
    expect(await topics('apply', declaration)).toMatchObject({ code: 0, err: '' })
    expect(await topics('plan', declaration)).toMatchObject({ code: 0, err: '' })
  })

  it('waits for a topic that is just being created', async () => {
    await startCluster({ autoCreate: { style: 'zk' } })
    cluster.createTopic('t')
    cluster.on('Metadata', errorCode(5), { topic: 't', times: 2 })
    expect(await topics('plan', { topics: [{ name: 't' }] })).toMatchObject({ code: 0 })
  })

  it('says which topic it may not look at', async () => {
    await startCluster()
    cluster.createTopic('secret')
    cluster.deny('secret')
    const { code, err } = await topics('plan', { topics: [{ name: 'secret' }] })
    expect(code).toBe(1)
    expect(err).toMatch(/^error: the topic secret cannot be looked at: .*\(TOPIC_AUTHORIZATION_FAILED\)\n$/)
  })

  it('does not take an answer that leaves the topic out for a success', async () => {
    await startCluster()
    cluster.on(
      'CreateTopics',
      changed(response => ({ ...response, topics: [] })),
      { times: 1 },
    )
    const { code, err } = await topics('apply', { topics: [{ name: 't' }] })
    expect(code).toBe(1)
    expect(err).toContain('does not name it')
  })
})
