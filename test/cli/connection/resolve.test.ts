import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/cli/connection/configFile.js'
import type { ConnectionFlags } from '../../../src/cli/connection/flags.js'
import { fileProblem, parseBrokers, resolveConnection } from '../../../src/cli/connection/resolve.js'
import { UsageError } from '../../../src/cli/process/exit.js'

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

const saslEntries = { mechanism: 'plain', username: 'me' } as const

const flags = (given: Partial<ConnectionFlags> = {}): ConnectionFlags => ({
  brokers: 'flag:1',
  connectTimeoutMs: 10_000,
  ...given,
})

const problemsOf = (act: () => unknown): readonly string[] => {
  try {
    act()
  } catch (error) {
    return (error as UsageError).problems
  }
  throw new Error('it was not refused')
}

describe('parseBrokers', () => {
  it('takes IPv6 addresses, with and without a port', () => {
    expect(parseBrokers(['[::1]:9093', '[::1]', '::1', ' fe80::1%eth0 ', '[2001:db8::1]:1'])).toEqual([
      '[::1]:9093',
      '[::1]:9092',
      '[::1]:9092',
      '[fe80::1%eth0]:9092',
      '[2001:db8::1]:1',
    ])
  })

  it.each(['[::1', '[::1]:0', '[::1]:x', '[host]:1', '[]:1', '::1:99999999', '[::1]9092'])(
    'refuses %s',
    entry => expect(() => parseBrokers([entry])).toThrow(UsageError),
  )

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

  describe('warns', () => {
    const insecure = { tls: { insecure: true } }
    const resolved = async (given: Partial<ConnectionFlags>, entries: object = {}, env = {}) => {
      const config = await file('w.json', entries)
      return resolveConnection(flags({ config, ...given }), env)
    }
    const UNVERIFIED = /^TLS certificates are not verified: .* Pass the authority with --tls-ca\.$/

    it.each<[string, Partial<ConnectionFlags>, object, NodeJS.ProcessEnv]>([
      ['by the flag', { tlsInsecure: true }, {}, {}],
      ['by the flag, beside an authority', { tlsInsecure: true, tlsCa: 'ca' }, {}, {}],
      ['by the file', {}, insecure, {}],
      ['by Node’s variable', { tls: true }, {}, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
    ])('once whenever certificates are not verified: %s', async (_, given, entries, env) => {
      const tlsCa = given.tlsCa && (await file('ca.pem', 'CA'))
      const { warnings } = await resolved({ ...given, ...(tlsCa ? { tlsCa } : {}) }, entries, env)
      expect(warnings).toEqual([expect.stringMatching(UNVERIFIED)])
    })

    it.each<[string, Partial<ConnectionFlags>]>([
      ['--tls-ca', { tlsCa: 'ca' }],
      ['--tls', { tls: true }],
    ])('not where %s ends what the file says', async (_, given) => {
      const tlsCa = given.tlsCa && (await file('ca.pem', 'CA'))
      const { kafka, warnings } = await resolved({ ...given, ...(tlsCa ? { tlsCa } : {}) }, insecure)
      expect(kafka.ssl).not.toHaveProperty('rejectUnauthorized')
      expect(warnings).toEqual([])
    })

    const login = { saslMechanism: 'plain', saslUsername: 'me' } as const
    const withMode = async (name: string, content: unknown, mode: number) => {
      const path = await file(name, content)
      await chmod(path, mode)
      return path
    }

    it.each([
      [0o644, 'everybody on this machine'],
      [0o604, 'everybody on this machine'],
      [0o640, 'its group'],
      [0o600, undefined],
      [0o400, undefined],
    ])('of files with secrets by their mode %o', async (mode, who) => {
      const config = await withMode('s.json', { sasl: { ...saslEntries, password: 'x' } }, mode)
      const password = await withMode('pw', 'x', mode)
      const key = await withMode('k.pem', 'KEY', mode)
      const cert = await withMode('c.pem', 'CERT', 0o644)
      const lineOf = (path: string) =>
        who ? [`${path} holds a secret, and ${who} may read it: chmod 600 ${path}`] : []
      const warningsOf = async (given: Partial<ConnectionFlags>) =>
        (await resolveConnection(flags(given), {})).warnings
      expect(await warningsOf({ config })).toEqual(lineOf(config))
      expect(await warningsOf({ ...login, saslPasswordFile: password })).toEqual(lineOf(password))
      expect(await warningsOf({ tlsKey: key, tlsCert: cert })).toEqual(lineOf(key))
      const both = await withMode(
        'b.json',
        { tls: { key: 'k.pem', cert: 'c.pem' }, sasl: { ...saslEntries, passwordFile: 'pw' } },
        0o644,
      )
      expect(await warningsOf({ config: both })).toEqual([...lineOf(key), ...lineOf(password)])
    })

    it('of nothing where there is no secret', async () => {
      expect((await resolved({ tls: true })).warnings).toEqual([])
    })
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
    const problems = problemsOf(() => parseConfig(text, 'k.json'))
    expect(problems).toEqual([
      expect.stringMatching(/^k\.json: unknown entry "broker" \(known: .*\)$/),
      expect.stringMatching(/^k\.json: "brokers" must /),
      expect.stringMatching(/^k\.json: "clientId" must /),
      expect.stringMatching(/^k\.json: "producer" must /),
      expect.stringMatching(/^k\.json: "tls\.ca" must /),
      expect.stringMatching(/^k\.json: unknown entry "tls\.x" /),
      expect.stringMatching(/^k\.json: "sasl\.mechanism" must be one of plain, /),
    ])
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
