import { EmbeddedKafka, hold } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltPackage, buildPackage, killStarted, start, untilOutput } from './support/package.js'

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
/** Nothing listens there any more. */
const deadBroker = async (): Promise<string> => {
  await startCluster()
  await cluster.stopBroker(0)
  return cluster.bootstrap[0]!
}

describe('the built command as a process', () => {
  it('produces stdin to a cluster of the command itself, and both end by themselves', async () => {
    await startCluster()
    const server = start([built.command, 'embedded'])
    await untilOutput(server, 'stdout')
    const address = server.output.out.trim()
    const client = start([built.command, 'produce', '-b', address, '--topic', 't'])
    client.child.stdin!.end('{"n":1}\n{"n":2}\n')
    expect(await client.ended).toBe(0)
    expect(client.output.err).toBe('')
    expect(client.output.out).toMatch(/^2 records delivered to 1 topic in /)
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  it('delivers what it has read at SIGINT although stdin stays open', async () => {
    await startCluster()
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const running = start([built.command, 'produce', '-b', brokers, '--topic', 't'])
    const { child, output, ended } = running
    child.stdin!.write('{"n":1}\n')
    await Promise.race([gate.arrived, ended])
    child.kill('SIGINT')
    await untilOutput(running, 'stderr')
    gate.open()
    expect(await ended).toBe(130)
    expect(output.out).toMatch(/^1 record delivered/)
    expect(cluster.records('t')).toHaveLength(1)
  })

  it('ends at once at the second SIGINT', async () => {
    await startCluster()
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const running = start([built.command, 'produce', '-b', brokers, '--topic', 't'])
    const { child, ended } = running
    child.stdin!.write('{"n":1}\n')
    await Promise.race([gate.arrived, ended])
    child.kill('SIGINT')
    await untilOutput(running, 'stderr')
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    gate.open()
  })

  describe('with threads of the process stuck, for which process.exit would wait', () => {
    // A login with 2^31 iterations, or a name lookup without an answer, takes the pool's threads like this.
    const STICK = `data:text/javascript,${encodeURIComponent(`
      import { pbkdf2 } from 'node:crypto'
      process.on('SIGUSR2', () => {
        pbkdf2('a', 'b', 2 ** 31 - 1, 64, 'sha512', () => {})
        process.stderr.write('stuck ')
      })`)}`
    const stuck = async () => {
      await startCluster()
      const gate = cluster.gate()
      cluster.on('Produce', hold(gate), { times: 1 })
      const argv = ['--import', STICK, built.command, 'produce', '-b', brokers, '--topic', 't', '--quiet']
      const running = start(argv, { UV_THREADPOOL_SIZE: '1' })
      running.child.stdin!.write('{"n":1}\n')
      await Promise.race([gate.arrived, running.ended])
      running.child.kill('SIGUSR2')
      await untilOutput(running, 'stderr')
      return { ...running, gate }
    }

    it('ends after its last record', async () => {
      const { child, output, ended, gate } = await stuck()
      child.stdin!.end()
      gate.open()
      expect(await ended).toBe('SIGKILL')
      expect(output.err).toBe('stuck ended by SIGKILL: a name lookup or a login is stuck in this process\n')
      expect(cluster.records('t')).toHaveLength(1)
    })

    it('ends at SIGINT by SIGINT', async () => {
      const { child, ended, gate } = await stuck()
      child.kill('SIGINT')
      gate.open()
      expect(await ended).toBe('SIGINT')
      expect(cluster.records('t')).toHaveLength(1)
    })
  })

  it('ends with one line when no broker is there', async () => {
    const dead = await deadBroker()
    const flags = ['-b', dead, '--topic', 't', '--connect-timeout-ms', '2000']
    const { child, output, ended } = start([built.command, 'produce', ...flags])
    child.stdin!.on('error', () => {}).end('{}\n')
    expect(await ended).toBe(1)
    expect(output).toEqual({
      out: '',
      err: `error: cannot reach the broker ${dead}: connection refused (given up after 2.0 s)\n`,
    })
  })

  it('ends quietly when its output is closed before the result', async () => {
    await startCluster()
    const { child, output, ended } = start([built.command, 'produce', '-b', brokers, '--topic', 't'])
    child.stdout!.destroy()
    child.stdin!.end('{"n":1}\n')
    expect(await ended).toBe(141)
    expect(output.err).toBe('')
    expect(cluster.records('t')).toHaveLength(1)
  })
})
