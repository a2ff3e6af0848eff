import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { shareOut } from '../../../../src/cli/commands/top/frame.js'
import { run } from '../../../../src/cli/program.js'
import { printed, testIo } from '../../support/io.js'
import {
  type Answer,
  closeServers,
  idle,
  metered,
  metricsOf,
  serve,
  serveRaw,
  status,
  text,
} from '../../support/metrics.js'

afterEach(closeServers)

/** Snapshots without a terminal, until `count` of them are printed. */
const snapshots = async (url: string, count: number, ...flags: string[]) => {
  const io = testIo()
  const argv = ['top', '--url', url, '--interval', '100ms', '--count', String(count), ...flags]
  const code = await run(argv, '1.2.3', io)
  return { code, out: io.stdout.text, err: io.stderr.text }
}

describe('resilient-producer top without a terminal', () => {
  it('prints a snapshot per interval: topics, retries, failures, waits, brokers, the client', async () => {
    const its = metered()
    const { observer } = its
    its.levels = idle({
      bufferedRecords: 7,
      bufferedBytes: 16 * 1024 * 1024,
      recordsWaiting: new Map([['leader', 7]]),
      oldestRecordMs: 41_000,
      partitionsWithoutLeader: 1,
    })
    const service = await serve(
      metricsOf(its, () => {
        observer.recordsSent('orders', 50)
        observer.recordsFailed('denied', 3, 'TopicAuthorizationError')
        observer.recordsRetried('orders', 2, 'NOT_LEADER_OR_FOLLOWER')
        observer.batchDelivered('orders', 50, 4)
        observer.requestEnded(1, 3)
        observer.connectEnded(1, 'ok')
        observer.connectEnded(2, 'authentication_failed')
        observer.requestLost(2)
        observer.throttled(1, 1)
      }),
    )
    const { code, out, err } = await snapshots(service.url, 3)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).not.toContain('\u001b')
    const [first, , last] = out.split('\n\n2')
    expect(first).toMatch(/^\S+Z\nhttp:\/\/127\.0\.0\.1:\d+\/metrics {2}up · client_id shop · version /)
    expect(first).toContain('acknowledged – · failed – · retried –')
    expect(last).toMatch(/records\/s +acknowledged [1-9][\d,.]* · failed [1-9]/)
    expect(last).toMatch(
      /oldest record 41\.0 s\nwaiting +7 records · 1 partition without leader\nbuffer .* 25 % of 64\.0 MiB/,
    )
    expect(last).toMatch(/^WAITING FOR +records\nleader +7$/m)
    expect(last).toMatch(/^TopicAuthorizationError +\d\S* +\d+$/m)
    expect(last).toMatch(/^NOT_LEADER_OR_FOLLOWER +\d\S* +\d+$/m)
    expect(last).toMatch(/^orders +\d\S* +0 +\d\S* +\d ms +\d ms +\d+ +0 +\d+$/m)
    expect(last).toMatch(/^1 .* \d ms +\d ms +1 +0 +0 +0 +\d+ %$/m)
    expect(last).toMatch(/^2 .* +0 +0 +[1-9]\d* +[1-9]\d* +0 %$/m)
  })

  it('works with a prefix and default labels, and with one topic for all', async () => {
    const its = metered({ prefix: 'shop_', topicLabel: 'off', clientId: undefined })
    its.registry.setDefaultLabels({ app: 'x' })
    its.observer.recordsSent('orders', 5)
    const { url } = await serve(metricsOf(its))
    const { out } = await snapshots(url, 1)
    expect(out).toMatch(/^all topics .* 5 +0 +0$/m)
    expect((await snapshots(url, 1, '--prefix', 'shop_')).out).toMatch(/^all topics /m)
    expect((await snapshots(url, 1, '--prefix', 'x_')).out).toContain('leave --prefix out, or give shop_')
  })

  it('joins several services', async () => {
    const services = await Promise.all(
      ['a', 'b'].map(async clientId => {
        const its = metered({ clientId })
        its.observer.recordsSent('orders', 5)
        return serve(metricsOf(its))
      }),
    )
    const { out } = await snapshots(services[0]!.url, 1, '--url', services[1]!.url)
    expect(out).toContain('acknowledged 10 ')
    expect(out).toMatch(/^CLIENT[\s\S]*^a .*\n^b /m)
  })

  it('says since when a service cannot be read, goes on, and says that it restarted', async () => {
    const [old, fresh] = [metered(), metered()]
    old.observer.recordsSent('orders', 100)
    fresh.observer.recordsSent('orders', 2)
    const { url } = await serve(metricsOf(old), status(503), status(503), metricsOf(fresh))
    const { code, out } = await snapshots(url, 5)
    expect(code).toBe(0)
    expect(out).toMatch(/not readable since .*\n {2}it answers 503, its own failure\n {2}-> look at its log/)
    expect(out).toMatch(/up · .*restarted \d+ ms ago/)
    expect(out).not.toContain('NaN')
    // What was counted before the restart is no negative rate.
    expect(out).not.toMatch(/acknowledged -/)
  })

  it('says so where a URL leads to several processes in turn', async () => {
    const [one, other] = [metered(), metered()]
    one.observer.recordsSent('orders', 100)
    other.observer.recordsSent('orders', 1)
    let at = 0
    const answers = [metricsOf(one), metricsOf(other)]
    const { url } = await serve((request, response) => answers[at++ % 2]!(request, response))
    expect((await snapshots(url, 8)).out).toContain(
      'give the URL of each process, not that of a load balancer',
    )
  })

  it('escapes what comes from outside', async () => {
    const its = metered({ clientId: 'evil\u001b]0;x\u0007' })
    its.observer.recordsSent('\u001b[2Jtopic\u202e', 1)
    const { url } = await serve(metricsOf(its))
    const { out } = await snapshots(url, 1)
    expect(out).toContain('\\u001b[2Jtopic\\u202e')
    expect(out).toContain('client_id evil\\u001b]0;x\\u0007')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
  })

  const large: Answer = (_request, response) => {
    const part = 'x'.repeat(1024 * 1024)
    const more = () => {
      while (!response.destroyed && response.write(part));
    }
    response.on('drain', more)
    more()
  }

  it.each<[string, Answer[], RegExp]>([
    [
      'HTML',
      [text('<!doctype html><p>', 'text/html')],
      /it answers HTML\n {2}-> give the path of its metrics, often \/metrics/,
    ],
    ['JSON', [text('{"ok": true}', 'application/json')], /no exposition of metrics \(line 1/],
    ['nothing', [text('')], /it has no metrics of a producer\n {2}-> give the producer the option metrics/],
    ['other metrics', [text('up 1\n')], /it has no metrics of a producer/],
    ['half an answer', [text('a{x="', 'application/openmetrics-text')], /no exposition of metrics/],
    ['bytes', [(_, response) => void response.end(Buffer.from([0xff, 0xfe, 0x80]))], /no text in UTF-8/],
    [
      '401',
      [status(401)],
      /it answers 401, it wants credentials or refuses them\n {2}-> --header "authorization/,
    ],
    ['404', [status(404)], /it answers 404, nothing is there\n/],
    [
      'a redirection',
      [status(302, { location: 'http://x/\u00e9' })],
      /a redirection, which is not followed\n {2}-> give --url "/,
    ],
    [
      'compression',
      [status(200, { 'content-encoding': 'gzip' })],
      /the encoding "gzip", which nobody asked for/,
    ],
    [
      'a cut',
      [
        (_, response) =>
          response.writeHead(200, { 'content-length': '9' }).write('a', () => void response.destroy()),
      ],
      /closed the connection/,
    ],
  ])('says what is wrong with %s', async (_, answers, says) => {
    const { url } = await serve(...answers)
    const { code, out } = await snapshots(url, 1)
    expect(out).toMatch(says)
    expect(code).toBe(1)
  })

  it('ends a connection on which too much comes, or nothing', async () => {
    for (const [answer, says] of [
      [large, /more than 64 MiB/],
      [() => {}, /no answer within 200 ms: |no answer within 200 ms\n/],
    ] as const) {
      const { url, server } = await serve(answer)
      const closed = new Promise<void>(resolve => {
        server.on('connection', socket => socket.on('close', () => resolve()))
      })
      expect((await snapshots(url, 1, '--timeout', answer === large ? '20s' : '200ms')).out).toMatch(says)
      await closed
    }
  })

  it('says what is wrong with a port where something else listens, or nothing', async () => {
    const ssh = await serveRaw('SSH-2.0-x\r\n')
    expect((await snapshots(ssh, 1)).out).toMatch(/does not speak HTTP there\n {2}-> look at the port/)
    const { url } = await serve(text(''))
    expect((await snapshots(url.replace('http:', 'https:'), 1)).out).toMatch(
      /does not speak TLS there\n {2}-> try http/,
    )
    await closeServers()
    expect((await snapshots(url, 1)).out).toMatch(
      /the connection is refused\n {2}-> look whether the service runs/,
    )
  })

  it('sends headers, and shows no credentials', async () => {
    let seen: unknown
    const its = metered()
    const answer = metricsOf(its)
    const { url } = await serve((request, response) => {
      seen = request.headers
      answer(request, response)
    })
    const withUser = url.replace('//', '//ann:secret@')
    const { out } = await snapshots(withUser, 1, '--header', 'X-Key: a: b')
    expect(seen).toMatchObject({ 'x-key': 'a: b', authorization: `Basic ${btoa('ann:secret')}` })
    expect(out).not.toMatch(/secret|ann/)
  })

  it('ends when it is told to stop, whatever a service is at', async () => {
    const { url } = await serve(() => {})
    const io = testIo()
    const ended = run(['top', '--url', url], '1.2.3', io)
    io.raise('SIGINT')
    expect(await ended).toBe(0)
    expect(io.listeners()).toBe(0)
  })
})

describe('resilient-producer top on a terminal', () => {
  const SHOW_CURSOR = '\u001b[?25h'
  const terminal = async (size: { columns?: number; env?: NodeJS.ProcessEnv } = {}) => {
    const its = metered()
    its.observer.recordsSent('a.topic.with.a.long.name', 5)
    const { url } = await serve(metricsOf(its))
    const modes: boolean[] = []
    const stdin = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (isRaw: boolean) => modes.push(isRaw),
    })
    const io = { ...testIo({ tty: true, stdin, ...size }) }
    const ended = run(['top', '--url', url, '--interval', '100ms'], '1.2.3', io)
    onTestFinished(() => io.raise('SIGINT'))
    await printed(io.stdout, /TOPIC/)
    return { io, stdin, modes, ended }
  }

  it.each(['q', '\u0003'])('ends at %j, with the cursor and the input given back', async key => {
    const exits = process.listenerCount('exit')
    const { io, stdin, modes, ended } = await terminal()
    expect(modes).toEqual([true])
    stdin.write(`x${key}`)
    expect(await ended).toBe(0)
    expect(modes).toEqual([true, false])
    expect(io.stdout.text.endsWith(SHOW_CURSOR)).toBe(true)
    expect(io.stdout.listenerCount('resize')).toBe(0)
    expect(process.listenerCount('exit')).toBe(exits)
  })

  it('ends at a signal likewise', async () => {
    const { io, modes, ended } = await terminal()
    io.raise('SIGTERM')
    expect(await ended).toBe(0)
    expect(modes.at(-1)).toBe(false)
    expect(io.stdout.text.endsWith(SHOW_CURSOR)).toBe(true)
  })

  it('fits a narrow terminal, and leaves colours out where they are not wanted', async () => {
    const { io, stdin, ended } = await terminal({ columns: 40, env: { NO_COLOR: '1' } })
    stdin.write('q')
    await ended
    // biome-ignore lint/suspicious/noControlCharactersInRegex: of a terminal
    const lines = io.stdout.text.replaceAll(/\u001b\[\??\d*[A-Za-ln-z]/g, '').split('\n')
    expect(Math.max(...lines.map(each => each.length))).toBeLessThan(40)
    expect(lines.join('\n')).toMatch(/^TOPIC +acked\/s +failed\/s$/m)
    expect(lines.join('\n')).toMatch(/^a\.topic\.\S*… /m)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: of a terminal
    expect(io.stdout.text).not.toMatch(/\u001b\[\d+m/)
  })

  it('lays itself out anew when the terminal changes', async () => {
    const { io, stdin, ended } = await terminal({ columns: 100 })
    Object.assign(io.stdout, { columns: 30 })
    const before = io.stdout.text.length
    io.stdout.emit('resize')
    const drawn = io.stdout.text.slice(before)
    expect(drawn).toContain('\u001b[H\u001b[2J')
    expect(drawn).not.toContain('since start  acknowledged 5 · failed')
    stdin.write('q')
    await ended
  })
})

describe('the lines of a terminal', () => {
  it.each([
    [[3, 2], Infinity, [3, 2]],
    [[3, 2], 9, [3, 2]],
    [[10, 2], 9, [3, 2]],
    [[10, 10], 9, [3, 2]],
    [[10, 10], 6, [1, 1]],
    [[10, 10], 5, [1, 0]],
    [[10, 10], 2, [0, 0]],
    [[], 0, []],
  ])('are shared out: %j in %d', (rows, lines, given) => expect(shareOut(rows, lines)).toEqual(given))
})

describe('the flags of top', () => {
  it.each([
    [[], /say where the metrics are: --url/],
    [['--url', 'localhost:3000'], /--url must be an http or https URL/],
    [['--url', 'nonsense'], /--url must be an http or https URL/],
    [['--url', 'unix:metrics.sock'], /needs the socket's whole path/],
    [['--url', 'http://x', '--interval', '10ms'], /--interval must be at least 100ms/],
    [['--url', 'http://x', '--interval', '5'], /a duration up to a day, such as 500ms/],
    [['--url', 'http://x', '--interval', '2d'], /a duration up to a day/],
    [['--url', 'http://x', '--header', 'Bearer secret'], /--header must be "name: value" or @file/],
    [['--url', 'http://x', '--header', 'a: b\nc'], /--header must be/],
    [['--url', 'http://x', '--header', '@/nowhere'], /cannot read \/nowhere: no such file/],
    [['--url', 'http://x', '--tls-ca', '/nowhere'], /cannot read \/nowhere/],
    [['--url', 'http://x', '--count', '0'], /whole number from 1/],
  ])('%j', async (argv, complaint) => {
    const io = testIo()
    expect(await run(['top', ...argv], '1.2.3', io)).toBe(2)
    expect(io.stderr.text).toMatch(complaint)
    expect(io.stderr.text).not.toContain('secret')
    expect(io.stdout.text).toBe('')
  })
})
