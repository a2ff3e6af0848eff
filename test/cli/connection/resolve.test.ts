import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/cli/connection/configFile.js'
import type { ConnectionFlags } from '../../../src/cli/connection/flags.js'
import { fileProblem, parseBrokers, resolveConnection } from '../../../src/cli/connection/resolve.js'
import { UsageError } from '../../../src/cli/exit.js'

let dir: string
const file = async (name: string, content: unknown): Promise<string> => {
  const path = join(dir, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cli-connection-'))
})
afterAll(() => rm(dir, { recursive: true }))

const flags = (given: Partial<ConnectionFlags> = {}): ConnectionFlags => ({
  brokers: 'flag:1',
  connectTimeoutMs: 10_000,
  ...given,
})

describe('parseBrokers', () => {
  it('adds the port of Kafka where none is given', () => {
    expect(parseBrokers(['a', ' b:1 ', ''])).toEqual(['a:9092', 'b:1'])
  })

  it.each([[[]], [['']], [['a:0']], [['a:70000']], [['a:b']], [['http://a:1']], [['a b:1']]])(
    'refuses %j',
    entries => expect(() => parseBrokers(entries)).toThrow(UsageError),
  )
})

describe('resolveConnection', () => {
  it('lets flags win over the file, and the file over the environment', async () => {
    const config = await file('a.json', { brokers: ['file:2'], clientId: 'file' })
    const env = { KAFKA_BROKERS: 'env:3,env:4' }
    const brokers = async (given: Partial<ConnectionFlags>) =>
      (await resolveConnection({ connectTimeoutMs: 1, ...given }, env)).kafka.brokers
    expect(await brokers({ brokers: 'flag:1', config })).toEqual(['flag:1'])
    expect(await brokers({ config })).toEqual(['file:2'])
    expect(await brokers({})).toEqual(['env:3', 'env:4'])
  })

  it('gives neither TLS nor SASL unless asked', async () => {
    const { kafka } = await resolveConnection(flags(), { KAFKA_SASL_PASSWORD: 'unused' })
    expect(kafka).not.toHaveProperty('ssl')
    expect(kafka).not.toHaveProperty('sasl')
  })

  it('takes the paths of the file from where the file is', async () => {
    await Promise.all([
      file('ca.pem', 'CA'),
      file('c.pem', 'CERT'),
      file('k.pem', 'KEY'),
      file('pw', 'secret\n'),
    ])
    const config = await file('b.json', {
      tls: { ca: 'ca.pem', cert: 'c.pem', key: 'k.pem', insecure: true },
      sasl: { mechanism: 'plain', username: 'u', passwordFile: 'pw' },
      producer: { lingerMs: 5 },
    })
    const { kafka, producer } = await resolveConnection(flags({ config }), {})
    expect(kafka.ssl).toEqual({ ca: ['CA'], cert: 'CERT', key: 'KEY', rejectUnauthorized: false })
    expect(kafka.sasl).toEqual({ mechanism: 'plain', username: 'u', password: 'secret' })
    expect(producer).toEqual({ lingerMs: 5 })
  })

  it('takes any TLS flag for TLS, with verification', async () => {
    const ca = await file('own.pem', 'OWN')
    expect((await resolveConnection(flags({ tls: true }), {})).kafka.ssl).toEqual({})
    expect((await resolveConnection(flags({ tlsCa: ca }), {})).kafka.ssl).toEqual({ ca: ['OWN'] })
  })

  it('finds the password in the file of the flag, the configuration, or the environment', async () => {
    const path = await file('password', 'from file\r\n')
    const config = await file('c.json', { sasl: { password: 'from config' } })
    const env = { KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: 'from env' }
    const password = async (given: Partial<ConnectionFlags>) => {
      const { kafka } = await resolveConnection(flags({ saslMechanism: 'scram-sha-512', ...given }), env)
      return kafka.sasl
    }
    const sasl = { mechanism: 'scram-sha-512', username: 'me' }
    expect(await password({ saslPasswordFile: path, config })).toEqual({ ...sasl, password: 'from file' })
    expect(await password({ config })).toEqual({ ...sasl, password: 'from config' })
    expect(await password({})).toEqual({ ...sasl, password: 'from env' })
  })

  it.each([
    ['no brokers', { brokers: '' }, /no brokers given/],
    ['a certificate without its key', { tlsCert: 'cert.pem' }, /both --tls-cert and --tls-key/],
    ['credentials without a mechanism', { saslUsername: 'u' }, /need --sasl-mechanism/],
    ['a mechanism without a user', { saslMechanism: 'plain' }, /needs a user name/],
    ['a user without a password', { saslMechanism: 'plain', saslUsername: 'u' }, /needs a password/],
    [
      'a file that is not there',
      { tlsCa: '/nowhere/ca.pem' },
      /^cannot read \/nowhere\/ca.pem: no such file/,
    ],
  ] as const)('refuses %s', async (_what, given, message) => {
    await file('cert.pem', 'CERT')
    const changed = 'tlsCert' in given ? { tlsCert: join(dir, 'cert.pem') } : given
    await expect(resolveConnection(flags(changed), {})).rejects.toThrow(message)
    await expect(resolveConnection(flags(changed), {})).rejects.toBeInstanceOf(UsageError)
  })
})

describe('parseConfig', () => {
  it('names every problem at once', () => {
    const text = JSON.stringify({
      broker: 'a',
      brokers: 'a:1',
      clientId: '',
      tls: { ca: 5, x: 1 },
      sasl: { mechanism: 'kerberos' },
      producer: [],
    })
    expect(() => parseConfig(text, 'k.json')).toThrow(
      /^k\.json: unknown entry "broker" \(known: .*\); "brokers" must .*; "clientId" must .*; "producer" must .*; "tls\.ca" must .*; unknown entry "tls\.x" .*; "sasl\.mechanism" must be one of plain, /,
    )
  })

  it('never quotes the text: a password may stand in it', () => {
    expect(() => parseConfig('{"sasl":{"password":"hunter2",}}', 'k.json')).toThrow(/^k\.json is not JSON$/)
  })

  it.each(['[]', 'null', '"x"'])('refuses %s', text => {
    expect(() => parseConfig(text, 'k.json')).toThrow(/must hold a JSON object/)
  })
})

describe('fileProblem', () => {
  it('keeps the words of the system and leaves its codes off', () => {
    expect(fileProblem(new Error("ENOENT: no such file or directory, open 'x'"))).toBe(
      'no such file or directory',
    )
    expect(fileProblem('odd')).toBe('odd')
  })
})
