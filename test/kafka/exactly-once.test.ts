import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { killStarted, type Running, start, untilOutput } from '../cli/support/package.js'
import { until } from './cluster/wait.js'
import type { Work } from './exactly-once/work.js'
import { describeKafka, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { readEndedTransactions } from './support/committed.js'
import { producing, range } from './support/producing.js'

const WORKER = fileURLToPath(new URL('./exactly-once/worker.mjs', import.meta.url))
const PARTITIONS = 3
const patience = { timeoutMs: 90_000 }
const config = { 'group.min.session.timeout.ms': '1000', 'transaction.state.log.min.isr': '2' }

/** Keeps one worker running, whatever ends it. */
class Workers {
  readonly #work: Work
  #current: Running | undefined
  #isOver = false
  started = 0

  constructor(work: Work) {
    this.#work = work
  }

  /** Resolves when the first one works. */
  async start(): Promise<void> {
    this.#current = start([WORKER, JSON.stringify(this.#work)])
    this.started++
    const running = this.#current
    void running.ended.then(() => (this.#isOver ? undefined : this.start()))
    await untilOutput(running, 'stdout')
  }

  /** SIGKILL; resolves when its successor works. */
  async replace(): Promise<void> {
    const before = this.#current!
    before.child.kill('SIGKILL')
    await before.ended
    await until('a successor', async () => (this.#current === before ? undefined : true), patience)
    await untilOutput(this.#current!, 'stdout')
  }

  async end(): Promise<void> {
    this.#isOver = true
    this.#current?.child.kill('SIGKILL')
    await this.#current?.ended
  }
}

describeKafka('consume, transform, produce', { brokers: 3, config }, broker => {
  afterAll(killStarted)

  test('writes each record once, while its process and the brokers are killed with SIGKILL', async () => {
    const [from, to, groupId] = [uniqueTopic('in'), uniqueTopic('out'), uniqueTopic('group')]
    const shape = { numPartitions: PARTITIONS, replicationFactor: 3 }
    await createTopics(broker, { topic: from, ...shape }, { topic: to, ...shape })
    const transactionalId = uniqueTopic('tx')
    const workers = new Workers({ brokers: broker.bootstrap, transactionalId, groupId, from, to })

    const consumed = () =>
      withAdmin(broker, async admin => {
        const [offsets] = await admin.fetchOffsets({ groupId, topics: [from] })
        return offsets!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
      }).catch(() => 0)
    let sent = 0
    await producing(broker, {}, async producer => {
      const send = async (count: number) => {
        const first = sent
        sent += count
        await Promise.all(
          range(count, i =>
            producer.send({
              topic: from,
              messages: [{ value: `${first + i}`, partition: (first + i) % PARTITIONS }],
            }),
          ),
        )
      }
      /** A steady trickle, so that something is always under way. */
      let isOver = false
      const trickle = async () => {
        while (!isOver) {
          await send(30)
          await new Promise(resolve => setTimeout(resolve, 20))
        }
      }
      const progress = async (more: number) => {
        const before = await consumed()
        await until(
          `${more} more records consumed`,
          async () => (await consumed()) >= before + more || undefined,
          patience,
        )
      }
      const trickling = trickle()
      try {
        await workers.start()
        await progress(300)
        await workers.replace()
        await progress(300)
        for (const node of broker.cluster.nodes) {
          await node.kill()
          await progress(300)
          await workers.replace()
          await node.start()
          await progress(300)
        }
      } finally {
        isOver = true
        await trickling
      }
      await until('all records consumed', async () => (await consumed()) === sent || undefined, patience)
    })
    await workers.end()
    const { committed, aborted } = await readEndedTransactions(broker.bootstrap, [to])
    const expected = range(PARTITIONS, partition =>
      range(sent, i => i)
        .filter(i => i % PARTITIONS === partition)
        .map(i => `done ${i}`),
    )
    // Once, and in order.
    for (const partition of range(PARTITIONS, each => each)) {
      const values = committed.filter(each => each.partition === partition).map(({ value }) => value)
      expect(values).toEqual(expected[partition])
    }
    // Some were killed in the midst of their work.
    expect(aborted.length).toBeGreaterThan(0)
    expect(workers.started).toBeGreaterThanOrEqual(5)
  }, 400_000)
})
