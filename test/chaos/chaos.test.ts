import { connect } from 'node:net'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { expect, test } from 'vitest'
import { describeKafka } from '../kafka/suite.js'
import type { TestBroker } from '../kafka/testBroker.js'
import type { ChaosCluster } from './cluster/chaosCluster.js'
import type { OpenDriver } from './drivers/driver.js'
import { driverOf } from './drivers/kafkajs.js'
import { TcpProxy } from './proxy/tcpProxy.js'
import { broken } from './report/verdict.js'
import { runScenario } from './run.js'
import { badNetwork } from './scenarios/badNetwork.js'
import { pausedLeader } from './scenarios/pausedLeader.js'
import { rollingKill } from './scenarios/rollingKill.js'
import type { Scenario } from './scenarios/scenario.js'
import { startHere } from './worker/here.js'

/*
 * The short form of `npm run chaos`: the same scenarios, recorder and checker, some seconds each. The load runs in this
 * process, where vitest fails the run on whatever is unhandled.
 */
const SEED = 20261121
const SECONDS = 4
const TEST_MS = 180_000

/** A broker's address as clients know it, and the port of the proxy before it. */
type Detours = ReadonlyMap<string, number>

const portOf = (address: string): number => Number(address.split(':')[1])

/** The suite's brokers advertise themselves: clients are led to the proxies by the sockets they are given. */
const producerThrough =
  (broker: TestBroker, detours: Detours): OpenDriver =>
  async () =>
    driverOf(
      createResilientProducer(
        broker.kafka({
          socketFactory: ({ host, port, onConnect }) =>
            connect({ host, port: detours.get(`${host}:${port}`) ?? port }, onConnect),
        }),
        // A muted connection is given up after this time: the short form cannot wait for the default.
        { requestTimeoutMs: 5_000, ackTimeoutMs: 3_000 },
      ),
    )

const play = async (
  broker: TestBroker,
  scenario: Scenario,
  proxies: readonly TcpProxy[] = [],
): Promise<void> => {
  const detours = new Map(proxies.map((proxy, i) => [broker.cluster.bootstrap[i]!, proxy.port]))
  const cluster: ChaosCluster = {
    cluster: broker.cluster,
    brokers: broker.bootstrap,
    proxies,
    security: undefined,
    stop: async () => undefined,
  }
  const report = await runScenario(
    { ...scenario, leastSeconds: SECONDS },
    cluster,
    {
      seconds: SECONDS,
      ratePerSecond: 500,
      topics: 6,
      partitions: 3,
      valueBytes: 100,
      window: 50_000,
      seed: SEED,
      topicPrefix: scenario.name,
      say: () => undefined,
    },
    (options, plan) => startHere(producerThrough(broker, detours), { options, plan }),
  )
  const { findings } = report
  expect(broken(report), findings.examples.join('\n')).toEqual([])
  expect(findings.acknowledged).toBe(findings.offered)
  expect(findings.stored).toBe(findings.offered)
  expect(report.faults.length).toBeGreaterThan(0)
}

describeKafka('under chaos nothing is lost, doubled, reordered or left hanging', { brokers: 3 }, broker => {
  test('when brokers are killed one after the other', { timeout: TEST_MS }, () => play(broker, rollingKill))

  test('when the leader of the most partitions freezes', { timeout: TEST_MS }, () =>
    play(broker, pausedLeader),
  )

  test('when connections are cut, stalled, slowed and half-closed', { timeout: TEST_MS }, async () => {
    const proxies = await Promise.all(
      broker.cluster.bootstrap.map(address => TcpProxy.listen(0, portOf(address))),
    )
    try {
      await play(broker, badNetwork, proxies)
    } finally {
      await Promise.all(proxies.map(proxy => proxy.close()))
    }
  })
})
