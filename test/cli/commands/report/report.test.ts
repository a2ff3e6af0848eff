import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../../src/cli/program.js'
import { hasBrowser, lookAt } from '../../support/browser.js'
import { printed, testIo } from '../../support/io.js'
import { closeServers, idle, type Metered, metered, metricsOf, serve, status } from '../../support/metrics.js'

let dir: string
let out: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cli-report-'))
  out = join(dir, 'report.html')
})
afterAll(() => rm(dir, { recursive: true }))
afterEach(closeServers)

const report = async (...argv: string[]) => {
  const io = testIo()
  const code = await run(['report', '--out', out, ...argv], '1.2.3', io)
  return { code, out: io.stdout.text, err: io.stderr.text }
}
const page = () => readFile(out, 'utf8')

let file = 0
/** A scrape in a file, taken `atS` seconds after a time. */
const scraped = async (text: string | Buffer, atS = 0): Promise<string> => {
  const path = join(dir, `scrape-${file++}.txt`)
  await writeFile(path, text)
  await utimes(path, 1_700_000_000 + atS, 1_700_000_000 + atS)
  return path
}

const work = ({ observer }: Metered, records: number) => {
  observer.recordsSent('orders', records)
  observer.recordsSent('pay"<b>', 3)
  observer.recordsFailed('denied', 2, 'TopicAuthorizationError')
  observer.recordsRetried('orders', 1, 'NOT_LEADER_OR_FOLLOWER')
  observer.batchDelivered('orders', records, 7)
  observer.requestEnded(1, 5)
  observer.connectEnded(2, 'failed')
  observer.throttled(1, 100)
}

/** Four scrapes, ten seconds apart: work, and a restart before the last one. */
const fourScrapes = async (): Promise<string[]> => {
  const its = metered()
  its.levels = idle({ recordsWaiting: new Map([['leader', 9]]), oldestRecordMs: 3000, bufferedBytes: 1e7 })
  const texts: string[] = []
  for (const records of [10, 20, 30]) {
    work(its, records)
    texts.push(await its.registry.metrics())
  }
  const fresh = metered()
  work(fresh, 5)
  texts.push(await fresh.registry.metrics())
  return Promise.all(texts.map((text, at) => scraped(text, at * 10)))
}

describe('resilient-producer report of files', () => {
  it('writes a page with plots, sums and tables, in the order of the files’ times', async () => {
    const [a, b, c, d] = await fourScrapes()
    const { code, out: told, err } = await report(d!, b!, a!, c!)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(told).toBe(`4 scrapes of 30.0 s are in ${out}\n`)
    const html = await page()
    expect(html).toContain('2023-11-14 22:13:20 UTC to 2023-11-14 22:13:50 UTC (30.0 s), 4 scrapes')
    // 20 and 30 of orders and 5 after the restart, 3 of the other at each.
    expect(html).toContain('<dt>records acknowledged</dt><dd>64</dd>')
    expect(html).toContain('<dt>failed</dt><dd class="bad">6</dd>')
    expect(html).toContain('<dt>restarts</dt><dd>1</dd>')
    expect(html).toContain(
      '<td>TopicAuthorizationError</td><td class="right">0.2</td><td class="right">6</td>',
    )
    for (const title of [
      'Records',
      'Failures',
      'Retries',
      'Waits',
      'Delivery',
      'Brokers: latency',
      'Brokers: trouble',
      'Brokers: throttled',
      'Buffer',
      'Topics',
    ])
      expect(html).toContain(`<b>${title}</b>`)
    expect(html.match(/class="mark"/g)!.length).toBeGreaterThan(5)
  })

  it('needs nothing else, and escapes what comes from outside', async () => {
    await report(...(await fourScrapes()))
    const html = await page()
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:|src=|href=|style="/i)
    expect(html).toContain("default-src 'none'; style-src 'sha256-")
    expect(html).toContain('pay&quot;&lt;b&gt;')
  })

  it('takes times of samples where they carry some, and --interval where all are alike', async () => {
    const text = (value: number, atS: number) =>
      ['producer_ids_total 1', 'transactions_begun_total 0', `records_sent_total ${value}`]
        .map(line => `p_${line} ${atS * 1000}\n`)
        .join('')
    const stamped = [await scraped(text(0, 100)), await scraped(text(50, 150))]
    expect((await report(...stamped)).out).toMatch(/^2 scrapes of 50\.0 s/)
    const alike = await Promise.all([0, 1].map(value => scraped(text(value, 100))))
    const { code, err } = await report(...alike)
    expect(code).toBe(2)
    expect(err).toBe(
      'error: two of the files have the same time: say how far apart they were taken, with --interval 15s\n',
    )
    expect((await report(...alike, '--interval', '15s')).out).toMatch(/^2 scrapes of 15\.0 s/)
  })

  it('reads what PowerShell writes', async () => {
    const texts = await Promise.all((await fourScrapes()).map(path => readFile(path, 'utf8')))
    const [a, b] = await Promise.all(
      texts.map((text, at) => scraped(Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`, 'utf16le'), at)),
    )
    expect((await report(a!, b!)).code).toBe(0)
  })

  it.each([
    ['a\nb c\n', /scrape-\d+\.txt is no exposition of metrics: line 1: a number is missing/],
    ['up 1\n', /scrape-\d+\.txt: it has no metrics of a producer/],
  ])('names the file that holds %j', async (text, says) => {
    const { code, err } = await report(await scraped(text), await scraped(text, 1))
    expect(code).toBe(1)
    expect(err).toMatch(says)
  })
})

describe('resilient-producer report of a service', () => {
  it('scrapes at the interval, and tells of scrapes that failed', async () => {
    const its = metered()
    const answer = metricsOf(its, () => work(its, 10))
    const { url } = await serve(answer, answer, status(401), answer)
    const { code, out: told } = await report('--url', url, '--for', '500ms', '--interval', '100ms')
    expect(code).toBe(0)
    expect(told).toMatch(/^5 scrapes of /)
    const html = await page()
    expect(html).toContain('1 scrape failed')
    expect(html).toContain('it answers 401')
  })

  it('writes what it has when it is told to stop', async () => {
    const its = metered()
    const { url } = await serve(metricsOf(its))
    const io = testIo()
    const argv = ['report', '--out', out, '--url', url, '--for', '1h', '--interval', '2s']
    const ended = run(argv, '1.2.3', io)
    await printed(io.stderr, /scrape [3-9] of 1801/)
    io.raise('SIGINT')
    expect(await ended).toBe(130)
    expect(io.stdout.text).toMatch(/^[2-9] scrapes of /)
  })

  it('says why there is no report', async () => {
    const { url } = await serve(status(404))
    const { code, err } = await report('--url', url, '--for', '100ms', '--interval', '100ms', '--quiet')
    expect(code).toBe(1)
    expect(err).toMatch(
      /^error: a report needs two scrapes, and none could be read: http:\/\/\S+: it answers 404/,
    )
  })

  it.each([
    [[], /either files of scrapes, or --url/],
    [['a', '--url', 'http://x'], /either files of scrapes, or --url/],
    [['a'], /one scrape shows no change/],
    [['a', 'b'], /cannot read a: no such file/],
    [['--url', 'http://x', '--for', '1s', '--interval', '2s'], /--for must be at least one --interval/],
    [['--url', 'http://x', '--for', '24h', '--interval', '1s'], /more than 2000 scrapes: choose a longer/],
    [['--url', 'http://x', '--out', '/nowhere/x.html'], /cannot write \/nowhere\/x.html: no such file/],
  ])('refuses %j', async (argv, complaint) => {
    const { code, err } = await report(...argv)
    expect(err).toMatch(complaint)
    expect(code).toBe(2)
  })
})

const MEASURE = `(() => {
  const box = each => each.getBoundingClientRect()
  const figures = [...document.querySelectorAll('figure')]
  const inside = figures.every(figure => {
    const svg = box(figure.querySelector('svg'))
    return [...figure.querySelectorAll('path, circle, text, line')].every(each =>
      box(each).left >= svg.left - 1 && box(each).right <= svg.right + 1 && box(each).top >= svg.top - 1 && box(each).bottom <= svg.bottom + 1)
  })
  const lines = [...document.querySelectorAll('.line')]
  const texts = [...document.querySelectorAll('svg text')].map(each => box(each).height)
  return {
    figures: figures.length,
    columns: new Set(figures.map(each => Math.round(box(each).left))).size,
    inside,
    drawn: lines.every(each => each.getTotalLength() > 0 && getComputedStyle(each).stroke !== 'none'),
    colours: new Set(lines.map(each => getComputedStyle(each).stroke)).size > 1,
    legible: Math.min(...texts) >= 9,
    paper: getComputedStyle(document.body).backgroundColor,
    scrolls: document.documentElement.scrollWidth > innerWidth,
  }
})()`

describe.skipIf(!hasBrowser)('the report in a browser', () => {
  const SOUND = { inside: true, drawn: true, colours: true, legible: true, scrolls: false }

  it('shows every chart within its frame, on a desk and on a phone, light and dark', async () => {
    await report(...(await fourScrapes()))
    const html = await page()
    const figures = html.match(/<figure>/g)!.length
    expect(figures).toBeGreaterThan(9)
    const light = { ...SOUND, figures, paper: 'rgb(255, 255, 255)' }
    expect(await lookAt(html, MEASURE, { widths: [1300, 360] })).toEqual([
      { ...light, columns: 3 },
      { ...light, columns: 1 },
    ])
    expect(await lookAt(html, MEASURE, { widths: [360], dark: true })).toEqual([
      { ...light, columns: 1, paper: 'rgb(20, 25, 31)' },
    ])
  })
})
