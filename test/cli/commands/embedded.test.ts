import { once } from 'node:events'
import { connect } from 'node:net'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { run } from '../../../src/cli/program.js'
import { printed, testIo } from '../support/io.js'

const start = (...flags: string[]) => {
  const io = testIo()
  return { io, ended: run(['embedded', ...flags], '1.2.3', io) }
}

describe('resilient-producer embedded', () => {
  it('prints its addresses on stdout alone, serves clients, and ends well when told to stop', async () => {
    const { io, ended } = start('--brokers', '2', '--partitions', '3')
    const [bootstrap] = await printed(io.stdout, /\S+\n/)
    const brokers = bootstrap.trim().split(',')
    expect(brokers).toHaveLength(2)

    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    expect((await admin.describeCluster()).brokers).toHaveLength(2)
    await admin.disconnect()

    io.raise('SIGTERM')
    expect(await ended).toBe(0)
    expect(io.stdout.text).toBe(bootstrap)
    expect(io.stderr.text).toBe('2 brokers in memory; Ctrl-C ends them and forgets every record\n')
  })

  it('says nothing of clients that are still there when it is stopped', async () => {
    const { io, ended } = start('--quiet')
    const [, port] = await printed(io.stdout, /:(\d+)\n/)
    const client = connect(Number(port), '127.0.0.1')
    await once(client, 'connect')
    const cut = once(client, 'close')
    client.on('error', () => {})
    io.raise('SIGINT')
    expect(await ended).toBe(0)
    expect(io.stderr.text).toBe('')
    await cut
  })

  it('tells in one line that its port is taken', async () => {
    const first = start()
    const [, port] = await printed(first.io.stdout, /:(\d+)\n/)
    const second = start('--port', port!)
    expect(await second.ended).toBe(1)
    expect(second.io.stderr.text).toBe(
      `error: port ${port} is in use: choose another with --port, leave --port out for a free one, or stop what listens there\n`,
    )
    first.io.raise('SIGINT')
    await first.ended
  })

  it('refuses ports that do not exist', async () => {
    const { io, ended } = start('--brokers', '3', '--port', '65534')
    expect(await ended).toBe(2)
    expect(io.stderr.text).toBe('error: the ports would end beyond 65535\n')
  })
})
