import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedKafka, hold } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltPackage, buildPackage, killStarted, start, untilOutput } from '../cli/support/package.js'

let built: BuiltPackage
let cluster: EmbeddedKafka
let brokers: string

beforeAll(async () => {
  built = await buildPackage()
})
afterAll(() => built.remove())
afterEach(async () => {
  killStarted()
  await cluster.close()
})

const startCluster = async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: { style: 'kraft', createdAfter: 2 } })
  brokers = cluster.bootstrap.join(',')
}
/** As `npm start` does. */
const startDemo = (argv: readonly string[], env?: NodeJS.ProcessEnv) => start([built.demo, ...argv], env)

/** Nothing listens there any more. */
const deadBroker = async (): Promise<string> => {
  await startCluster()
  await cluster.stopBroker(0)
  return cluster.bootstrap[0]!
}

describe('the main job as a process', () => {
  const TABLE_ROW = /^ {2}earthquakes\.(\w+) +\d+ +\d+ +\S+ \w+ +\d+$/gm

  it('shows a plain run on its own cluster and proves it', async () => {
    await startCluster()
    const { output, ended } = startDemo([])
    expect(await ended).toBe(0)
    expect(output.err).toBe('')
    expect(output.out).not.toContain('\u001b')
    expect(output.out.match(TABLE_ROW)).toHaveLength(12)
    const [proof, last] = output.out.trimEnd().split('\n').slice(-2)
    expect(proof).toBe('✔ read back from the broker: every record is there, once')
    expect(last).toMatch(
      /^1,707 records delivered to 12 topics in [^,]+, \d+ metadata retries, 0 record retries$/,
    )
  })

  it('does the same on brokers that are named, and again on the topics that are there then', async () => {
    await startCluster()
    for (const run of [1, 2]) {
      const { output, ended } = startDemo(['--brokers', brokers])
      expect(await ended).toBe(0)
      expect(output.out.includes('kept 12 topics that this run made: earthquakes.')).toBe(run === 1)
      expect(output.out).toContain('✔ read back')
      expect(output.out).toMatch(/^1,707 records delivered to 12 topics/m)
      const stored = cluster.topics.filter(topic => topic.startsWith('earthquakes.'))
      expect(stored).toHaveLength(12)
      expect(stored.flatMap(topic => cluster.records(topic))).toHaveLength(1707 * run)
    }
    expect(cluster.journal.allTopicsRequests()).toEqual([])
  })

  it('deletes what it made when told to, and leaves a picture', async () => {
    await startCluster()
    cluster.createTopic('earthquakes.ak', { partitions: 1 })
    const dir = await mkdtemp(join(tmpdir(), 'demo-'))
    const report = join(dir, 'report.html')
    const { output, ended } = startDemo(['--brokers', brokers, '--delete-topics', '--report', report])
    expect(await ended).toBe(0)
    expect(output.out).toContain(`the picture of this run is in ${report}\n`)
    expect(output.out).toMatch(/\ndeleted 11 topics that this run made\n$/)
    expect(cluster.topics).toEqual(['earthquakes.ak'])
    const html = await readFile(report, 'utf8')
    expect(html.match(/<rect class="wait"/g)).toHaveLength(12)
    expect(html).toContain('was there')
    await rm(dir, { recursive: true })
  })

  it.each([
    [['--nope'], /^error: Unknown option '--nope'/],
    [['--connect-timeout-ms', 'x'], /^error: --connect-timeout-ms must be a whole number/],
    [['--keep-topics', '--delete-topics'], /^error: --delete-topics and --keep-topics exclude each other\n/],
    [['--brokers', 'a:1', '--sasl-mechanism', 'plain'], /^error: --sasl-mechanism needs --sasl-username/],
  ])('ends with status 2 and its usage for %j', async (argv, says) => {
    await startCluster()
    const { output, ended } = startDemo(argv)
    expect(await ended).toBe(2)
    expect(output.err).toMatch(says)
    expect(output.err).toContain('Usage: npm start --')
  })

  it('ends with one line when no broker is there', async () => {
    const dead = await deadBroker()
    const { output, ended } = startDemo(['--brokers', dead, '--connect-timeout-ms', '2000'])
    expect(await ended).toBe(1)
    expect(output.err).toMatch(
      /^error: No broker could be used within timeoutMs \(2000 ms\).*ECONNREFUSED.*\n$/,
    )
    expect(output.err).toContain(dead)
  })

  it('claims no proof of anything when no topic can be created', async () => {
    cluster = await EmbeddedKafka.start({ autoCreate: false })
    const { output, ended } = startDemo(['--brokers', cluster.bootstrap.join(',')])
    expect(await ended).toBe(1)
    expect(output.out).not.toContain('✔')
    expect(
      output.out.match(/^earthquakes\.\w+: \d+ records? not delivered: .*auto\.create\.topics\.enable/gm),
    ).toHaveLength(12)
    expect(output.out).toMatch(/\n0 records delivered to 0 topics in [^,]+, 1,707 failed, [^\n]*\n$/)
  })

  it('ends with one line when the broker refuses the credentials', async () => {
    cluster = await EmbeddedKafka.start({ listeners: { sasl: { users: { me: 'correct horse' } } } })
    const flags = [
      '--brokers',
      cluster.bootstrap.join(','),
      '--sasl-mechanism',
      'plain',
      '--sasl-username',
      'me',
    ]
    const { output, ended } = startDemo(flags, { KAFKA_SASL_PASSWORD: 'battery staple' })
    expect(await ended).toBe(1)
    expect(output.err).toMatch(/^error: SASL PLAIN authentication failed: .*\n$/)
    expect(output.out + output.err).not.toContain('battery staple')
  })

  it('ends at SIGINT with what it has delivered by then, and says how much that is', async () => {
    await startCluster()
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const { child, output, ended } = startDemo(['--brokers', brokers])
    await Promise.race([gate.arrived, ended])
    child.kill('SIGINT')
    gate.open()
    expect(await ended).toBe(130)
    expect(output.out).toMatch(/\n[\d,]+ of 1,707 records delivered · .*\n$/)
    expect(output.err).toBe('stopped by SIGINT\n')
  })

  it('ends quietly when its output is closed', async () => {
    await startCluster()
    const running = startDemo(['--brokers', brokers])
    const { child, output, ended } = running
    await untilOutput(running, 'stdout')
    child.stdout!.destroy()
    expect(await ended).toBe(141)
    expect(output.err).toBe('')
  })
})
