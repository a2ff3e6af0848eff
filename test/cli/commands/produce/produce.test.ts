import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { EmbeddedKafka, type EmbeddedKafkaOptions, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../../src/cli/program.js'
import { cert, key } from '../../../testing/support/certificate.js'
import { printed, testIo } from '../../support/io.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cli-produce-'))
})
afterAll(() => rm(dir, { recursive: true }))

let cluster: EmbeddedKafka
const startCluster = async (options: EmbeddedKafkaOptions = {}) => {
  cluster = await EmbeddedKafka.start(options)
}
afterEach(async () => {
  expect(cluster.journal.allTopicsRequests()).toEqual([])
  await cluster.close()
})

const inputFile = async (name: string, text: string): Promise<string> => {
  await writeFile(join(dir, name), text, { mode: 0o600 })
  return join(dir, name)
}
const lines = (...records: unknown[]) => records.map(record => `${JSON.stringify(record)}\n`).join('')

const startProduce = (argv: readonly string[], options: Parameters<typeof testIo>[0] = {}) => {
  const io = testIo(options)
  return { io, ended: run(['produce', '-b', cluster.bootstrap.join(','), ...argv], '1.2.3', io) }
}
const produce = async (argv: readonly string[], options?: Parameters<typeof testIo>[0]) => {
  const { io, ended } = startProduce(argv, options)
  return { code: await ended, out: io.stdout.text, err: io.stderr.text }
}
const logged = (topic: string) =>
  cluster.records(topic).map(({ key, value }) => [key?.toString() ?? null, value?.toString()])

describe('resilient-producer produce', () => {
  it('writes each line of stdin to the topic and with the key of its fields, creating topics by use', async () => {
    await startCluster({ autoCreate: { style: 'kraft', createdAfter: 2 } })
    const stdin = lines({ t: 'a', id: 1 }, { t: 'b', id: 2 }, { t: 'a', id: 3 })
    const result = await produce(['--topic-field', 't', '--topic-prefix', 'x.', '--key-field', 'id'], {
      stdin,
    })
    expect(result).toMatchObject({ code: 0, err: '' })
    expect(result.out).toMatch(/^3 records delivered to 2 topics in .*s\n$/)
    expect(logged('x.a')).toEqual([
      ['1', '{"t":"a","id":1}'],
      ['3', '{"t":"a","id":3}'],
    ])
    expect(logged('x.b')).toEqual([['2', '{"t":"b","id":2}']])
  })

  it('reads files in order and keeps going over malformed lines, naming file and line', async () => {
    await startCluster()
    const first = await inputFile('first.ndjson', '{"n":1}\r\n\r\noops\r\n{"n":2}')
    const second = await inputFile('second.ndjson', '{"n":3}\n{"n":')
    const { code, out, err } = await produce(['--topic', 't', first, '-', second], { stdin: '{"n":"stdin"}' })
    expect(code).toBe(1)
    expect(out).toMatch(/^4 records delivered to 1 topic in .*, 2 malformed lines\n$/)
    expect(err.trim().split('\n')).toEqual([
      expect.stringMatching(/first\.ndjson:3: not JSON: /),
      expect.stringMatching(/second\.ndjson:2: not JSON: /),
    ])
    expect(logged('t').map(([, value]) => value)).toEqual(['{"n":1}', '{"n":2}', '{"n":"stdin"}', '{"n":3}'])
  })

  it('stops at a malformed line when strict, with what came before it delivered', async () => {
    await startCluster()
    const { code, out } = await produce(['--topic', 't', '--strict'], { stdin: '{"n":1}\noops\n{"n":2}\n' })
    expect(code).toBe(1)
    expect(out).toMatch(/^1 record delivered to 1 topic in .*, 1 malformed line\n$/)
    expect(logged('t')).toEqual([[null, '{"n":1}']])
  })

  it('prints nothing but complaints when quiet', async () => {
    await startCluster()
    expect(await produce(['--topic', 't', '--quiet'], { stdin: '{}\n' })).toEqual({
      code: 0,
      out: '',
      err: '',
    })
  })

  it('redraws one line on a terminal and leaves it clean', async () => {
    await startCluster()
    const { code, err } = await produce(['--topic', 't'], { stdin: '{}\n', tty: true })
    expect(code).toBe(0)
    expect(err).toMatch(/\d delivered/)
    expect(err.endsWith('\r\u001b[2K')).toBe(true)
    expect(err).not.toContain('\n')
  })

  it('creates topics by request, with the partitions asked for', async () => {
    await startCluster({ autoCreate: false })
    const argv = [
      '--topic',
      'made',
      '--topic-creation',
      'admin',
      '--partitions',
      '3',
      '--replication-factor',
      '1',
    ]
    expect(await produce(argv, { stdin: '{}\n' })).toMatchObject({ code: 0, err: '' })
    expect(cluster.journal.of('CreateTopics')).toHaveLength(1)
    expect(cluster.leaderOf('made', 2)).toBe(0)
  })

  it('delivers the rest when one topic can never appear, and tells topic, setting and how many records', async () => {
    await startCluster({ autoCreate: false })
    cluster.createTopic('there')
    const stdin = lines({ t: 'gone' }, { t: 'there' }, { t: 'gone' }, { t: 'gone' })
    const { code, out, err } = await produce(['--topic-field', 't'], { stdin })
    expect(code).toBe(1)
    expect(out).toMatch(/^1 record delivered to 1 topic in .*, 3 failed\n$/)
    const [first, second, ...more] = err.trim().split('\n')
    expect(first).toMatch(/^stdin:1: not delivered: .*"gone".*auto\.create\.topics\.enable/)
    expect(second).toBe('gone: 2 more records not delivered for the same reason')
    expect(more).toEqual([])
  })

  it('reads no faster than records go, and loses none to a full buffer', async () => {
    await startCluster()
    cluster.createTopic('t')
    const config = await inputFile('small.json', JSON.stringify({ producer: { bufferBytes: 16_384 } }))
    const records = Array.from({ length: 2_000 }, (_, n) => ({ n, pad: 'x'.repeat(100) }))
    const { code, out } = await produce(['--topic', 't', '--config', config], { stdin: lines(...records) })
    expect(code).toBe(0)
    expect(out).toMatch(/^2,000 records delivered/)
    expect(logged('t').map(([, value]) => JSON.parse(value!).n)).toEqual(records.map(({ n }) => n))
  })

  it('finds a place for lines of half the buffer', async () => {
    await startCluster()
    const config = await inputFile('tight.json', JSON.stringify({ producer: { bufferBytes: 40_000 } }))
    const stdin = lines(...Array.from({ length: 20 }, (_, n) => ({ n, pad: 'x'.repeat(19_000) })))
    expect(await produce(['--topic', 't', '--config', config], { stdin })).toMatchObject({ code: 0, err: '' })
    expect(logged('t')).toHaveLength(20)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('delivers at %s what it has read, reads no more, and says so', async (signal, status) => {
    await startCluster()
    cluster.createTopic('t')
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const stdin = new PassThrough()
    const { io, ended } = startProduce(['--topic', 't'], { stdin })
    stdin.write('{"n":1}\n{"n":2}\n')
    await gate.arrived
    io.raise(signal)
    await printed(io.stderr, /stopping: 2 records in flight; press Ctrl-C again to end at once\n/)
    gate.open()
    expect(await ended).toBe(status)
    expect(stdin.destroyed).toBe(true)
    expect(logged('t')).toHaveLength(2)
    expect(io.stdout.text).toMatch(/^2 records delivered/)
    expect(io.stderr.text).toMatch(new RegExp(`\nstopped by ${signal}\n$`))
    expect(io.exits).toEqual([])
  })

  it('gives a connection up at SIGINT', async () => {
    await startCluster()
    const gate = cluster.gate()
    cluster.on('ApiVersions', hold(gate), { times: 1 })
    const { io, ended } = startProduce(['--topic', 't'], { stdin: '{}\n' })
    await gate.arrived
    io.raise('SIGINT')
    expect(await ended).toBe(130)
    expect(io.stdout.text + io.stderr.text).toBe('stopped by SIGINT\n')
    gate.open()
  })

  it('ends at once at the second signal', async () => {
    await startCluster()
    cluster.createTopic('t')
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const stdin = new PassThrough()
    const { io, ended } = startProduce(['--topic', 't'], { stdin })
    stdin.write('{"n":1}\n')
    await gate.arrived
    io.raise('SIGINT')
    expect(io.exits).toEqual([])
    io.raise('SIGINT')
    expect(io.exits).toEqual([130])
    gate.open()
    await ended
  })

  it('delivers what it has read when nobody reads its output any more', async () => {
    await startCluster()
    cluster.createTopic('t')
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const stdin = new PassThrough()
    const { io, ended } = startProduce(['--topic', 't'], { stdin })
    stdin.write('{"n":1}\n')
    await gate.arrived
    io.stderr.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    gate.open()
    expect(await ended).toBe(141)
    expect(logged('t')).toHaveLength(1)
  })

  it('tells a broker’s refusal of a record with file and line', async () => {
    await startCluster()
    cluster.createTopic('t')
    cluster.on('Produce', errorCode(10), { times: 1 })
    const { code, err } = await produce(['--topic', 't'], { stdin: '{"n":1}\n' })
    expect(code).toBe(1)
    expect(err).toMatch(/^stdin:1: not delivered: .*"t".*\n$/)
  })
})

describe('resilient-producer produce with SASL', () => {
  const sasl = async (password: string, ...more: string[]) => {
    await startCluster({ listeners: { sasl: { users: { me: 'correct horse' } } } })
    const path = await inputFile('password', `${password}\n`)
    const flags = ['--sasl-mechanism', 'plain', '--sasl-username', 'me', '--sasl-password-file', path]
    return produce(['--topic', 't', ...flags, ...more], { stdin: '{"n":1}\n' })
  }

  it('logs in with the password of a file', async () => {
    expect(await sasl('correct horse')).toMatchObject({ code: 0, err: '' })
  })

  it('ends with one line when the password is wrong, and tells no password', async () => {
    const { code, out, err } = await sasl('battery staple')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^error: the broker refused the SASL credentials.*\n$/)
    expect(err.split('\n')).toHaveLength(2)
    expect(err).not.toContain('battery staple')
  })

  it('tells no password when verbose either', async () => {
    const { code, err } = await sasl('battery staple', '--verbose')
    expect(code).toBe(1)
    expect(err).toMatch(/\n {4}at /)
    expect(err).not.toContain('battery staple')
    expect(err).not.toContain(Buffer.from('\0me\0battery staple').toString('base64'))
  })
})

describe('resilient-producer produce with TLS', () => {
  const overTls = async (...flags: string[]) => {
    await startCluster({ listeners: { tls: { key, cert } } })
    return produce(['--topic', 't', '--connect-timeout-ms', '800', ...flags], { stdin: '{}\n' })
  }

  it('trusts the authority of a file', async () => {
    const ca = await inputFile('ca.pem', cert)
    expect(await overTls('--tls-ca', ca)).toMatchObject({ code: 0, err: '' })
  })

  it('trusts anybody only when told to', async () => {
    expect(await overTls('--tls-insecure')).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^warning: TLS certificates are not verified: .* --tls-ca\.\n$/),
    })
  })

  it.each([
    [
      'an authority that is not known',
      ['--tls'],
      /is not trusted: pass the authority that signed it with --tls-ca/,
    ],
    ['a listener that wants TLS', [], /closed the connection: pass --tls if it wants TLS|no answer/],
  ] as const)('ends with one line at %s', async (_what, flags, line) => {
    const { code, out, err } = await overTls(...flags)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(line)
    expect(err.split('\n')).toHaveLength(2)
  })

  it('ends with one line at a listener that does not speak TLS', async () => {
    await startCluster()
    const argv = ['--topic', 't', '--tls', '--connect-timeout-ms', '800']
    const { code, err } = await produce(argv, { stdin: '{}\n' })
    expect(code).toBe(1)
    expect(err).toMatch(/^error: cannot reach the broker .*: it does not speak TLS on this port.*\n$/)
  })
})

describe('resilient-producer produce without brokers', () => {
  it('ends with one line naming the broker', async () => {
    await startCluster()
    await cluster.stopBroker(0)
    const { code, out, err } = await produce(['--topic', 't', '--connect-timeout-ms', '1500'], {
      stdin: '{}\n',
    })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toBe(
      `error: cannot reach the broker ${cluster.bootstrap[0]}: connection refused (given up after 1.5 s)\n`,
    )
  })
})
