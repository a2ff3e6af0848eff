import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { claimFolder } from '../../kafka/cluster/leftovers.js'
import { startLocalCluster } from '../../kafka/cluster/local.js'
import { freePorts } from '../../kafka/cluster/ports.js'
import type { KafkaCluster } from '../../kafka/cluster/types.js'
import { cert, key } from '../../testing/support/certificate.js'
import type { Security } from '../drivers/driver.js'
import { TcpProxy } from '../proxy/tcpProxy.js'
import { addUser, PASSWORD, USER } from './users.js'

export interface ChaosClusterOptions {
  readonly version: string
  /** Of topics that brokers create by themselves. */
  readonly partitions: number
  readonly config?: Readonly<Record<string, string>>
  /** What stands between clients and brokers. `proxies`: one of ours a broker. */
  readonly between?: 'nothing' | 'proxies'
  /** How clients are let in. */
  readonly entry?: 'plain' | 'scram over TLS'
}

/** A 3-broker cluster, and how clients reach it; brokers and the checker have a listener of their own. */
export interface ChaosCluster {
  readonly cluster: KafkaCluster
  /** For clients. */
  readonly brokers: readonly string[]
  /** In the order of the brokers; empty where there are none. */
  readonly proxies: readonly TcpProxy[]
  readonly security: Security | undefined
  stop(): Promise<void>
}

const BROKERS = 3

export const startChaosCluster = async ({
  version,
  partitions,
  config = {},
  between = 'nothing',
  entry = 'plain',
}: ChaosClusterOptions): Promise<ChaosCluster> => {
  const undo: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step().catch(() => undefined)
  }
  try {
    // Below the ephemeral ports too: the proxies are what clients reconnect to.
    const ports = await freePorts(2 * BROKERS)
    const [clientPorts, proxyPorts] = [ports.slice(0, BROKERS), ports.slice(BROKERS)]
    const proxies: TcpProxy[] = []
    undo.push(() => Promise.all(proxies.map(proxy => proxy.close())))
    if (between === 'proxies') {
      for (const [i, port] of proxyPorts.entries()) proxies.push(await TcpProxy.listen(port, clientPorts[i]!))
    }
    const needsListener = between === 'proxies' || entry !== 'plain'
    const advertised = between === 'proxies' ? proxyPorts : clientPorts
    // Among the clusters' folders: the next run removes what a crashed one left.
    const folder = await claimFolder(process.pid)
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const keystore = join(folder, 'broker.pem')
    await writeFile(keystore, `${key}\n${cert}\n`)
    const cluster = await startLocalCluster(version, {
      brokers: BROKERS,
      config: {
        // Long enough that a healthy broker on a busy machine is not taken for dead.
        'broker.session.timeout.ms': '3000',
        'num.partitions': String(partitions),
        ...config,
      },
      ...(needsListener && {
        settingsOf: (id, { listeners = '' }) => ({
          listeners: `${listeners},CLIENT://127.0.0.1:${clientPorts[id - 1]}`,
          'advertised.listeners': `${listeners.split(',')[0]},CLIENT://127.0.0.1:${advertised[id - 1]}`,
          'inter.broker.listener.name': 'PLAINTEXT',
          ...(entry === 'plain' ? plainEntry : scramEntry(keystore)),
        }),
      }),
    })
    undo.push(() => cluster.stop())
    if (entry !== 'plain') await addUser(cluster.bootstrap, USER)
    return {
      cluster,
      brokers: needsListener ? advertised.map(port => `127.0.0.1:${port}`) : cluster.bootstrap,
      proxies,
      security: entry === 'plain' ? undefined : { ca: cert, username: USER, password: PASSWORD },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const protocols = (client: string): Record<string, string> => ({
  'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:${client}`,
})

const plainEntry = protocols('PLAINTEXT')

const scramEntry = (keystore: string): Record<string, string> => ({
  ...protocols('SASL_SSL'),
  'sasl.enabled.mechanisms': 'SCRAM-SHA-256',
  'listener.name.client.scram-sha-256.sasl.jaas.config':
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'listener.name.client.ssl.keystore.type': 'PEM',
  'listener.name.client.ssl.keystore.location': keystore,
})
