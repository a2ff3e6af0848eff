import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/program.js'
import { testIo } from './support/io.js'

const runWith = async (...argv: string[]) => {
  const io = testIo()
  return { code: await run(argv, '1.2.3', io), out: io.stdout.text, err: io.stderr.text }
}

describe('the command line', () => {
  it('tells its version', async () => {
    expect(await runWith('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' })
  })

  it('prints help when asked, and as a complaint when there is no command', async () => {
    const asked = await runWith('--help')
    expect(asked).toMatchObject({ code: 0, err: '' })
    expect(asked.out).toMatch(/produce [\s\S]*topics [\s\S]*doctor [\s\S]*top [\s\S]*report [\s\S]*embedded /)
    expect(await runWith()).toEqual({ code: 2, out: '', err: asked.out })
  })

  it('documents exit statuses and every flag with what it takes', async () => {
    const { code, out } = await runWith('produce', '--help')
    expect(code).toBe(0)
    expect(out).toContain('Exit status:')
    for (const flag of ['--topic-field <field>', '--sasl-password-file <file>', '--acks <who>'])
      expect(out).toContain(flag)
  })

  it.each([
    [
      'top',
      ['--url <url>', '--header <header>', '--interval <duration>', '(default: 2s)', 'Keys:', 'unix:/run'],
    ],
    ['report', ['--out <file>', '--for <duration>', '--prefix <text>', 'Examples:', '  130  ']],
  ])('documents %s', async (command, parts) => {
    const { code, out } = await runWith(command, '--help')
    expect(code).toBe(0)
    for (const part of [...parts, 'Exit status:']) expect(out).toContain(part)
  })

  it.each(['plan', 'apply'])('documents the file and the exit statuses of topics %s', async command => {
    const { code, out } = await runWith('topics', command, '--help')
    expect(code).toBe(0)
    for (const part of ['"defaults":', 'Exit status:', '  3  ', '--tls-ca <file>'])
      expect(out).toContain(part)
  })

  it.each([
    [['prod'], /unknown command 'prod'/],
    [['produce', '--nope'], /unknown option '--nope'/],
    [['produce', '-t', 'a', '--acks', '2'], /Allowed choices are all, 1, 0/],
    [['produce', '-t', 'a', '--linger-ms', '-5'], /whole number of milliseconds/],
    [['produce', '-t', 'a', '--linger-ms', '1e3'], /whole number of milliseconds/],
    [['produce', '-t', 'a', '--max-line-bytes', '0'], /whole number from 1/],
    [['produce', '-t', 'a', '--partitions', 'x', '--topic-creation', 'admin'], /whole number from 1/],
    [['produce', '-b', 'a:1'], /either --topic or --topic-field/],
    [['produce', '-b', 'a:1', '-t', 'a', '--topic-field', 'b'], /either --topic or --topic-field/],
    [['produce', '-b', 'a:1', '-t', 'a b'], /not a legal topic name: "a b"/],
    [['produce', '-t', 'a'], /no brokers given/],
    [['produce', '-b', 'a:1', '-t', 'a', '--partitions', '3'], /need --topic-creation admin/],
    [
      ['produce', '-b', 'a:1', '-t', 'a', '/nowhere/x.ndjson'],
      /^error: cannot read \/nowhere\/x.ndjson: no such file/,
    ],
    [['produce', '-b', 'a:1', '-t', 'a', '/'], /cannot read \/: it is a directory/],
    [['produce', '-b', 'a:1', '-t', 'a', '-', '-'], /standard input \(-\) was given twice/],
    [['embedded', '--brokers', '0'], /whole number from 1/],
    [['topics'], /topics \[options\] \[command\]|Usage: resilient-producer topics/],
    [['topics', 'destroy', 'x.json'], /unknown command 'destroy'/],
    [['doctor', '-b', 'a:1', '-t', 'a b'], /not a legal topic name: "a b"/],
    [['doctor'], /no brokers given/],
    [['top'], /say where the metrics are: --url/],
    [['report', 'a.txt', 'b.txt'], /required option '-o, --out <file>' not specified/],
    [['topics', 'plan'], /missing required argument 'file'/],
  ])('refuses %j with status 2, one complaint and nothing on stdout', async (argv, complaint) => {
    const { code, out, err } = await runWith(...argv)
    expect(err).toMatch(complaint)
    expect(err).not.toMatch(/\n {4}at /)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})
