import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Deliveries } from '../../demo/deliveries.js'
import { pictureOf } from '../../demo/picture.js'

const TOPICS = ['a', 'a', 'b', 'c<script>&"']
const picture = () => {
  const deliveries = new Deliveries(TOPICS)
  deliveries.begin()
  deliveries.succeeded('a', '1')
  deliveries.succeeded('a', '2')
  deliveries.succeeded('b', '3')
  deliveries.failed('c<script>&"', new Error('no'))
  const figures = { created: [], metadataRetries: new Map([['a', 2]]), recordRetries: 0 }
  return pictureOf(deliveries, figures, '3 records <delivered>', 'db:9092')
}

describe('the picture of a run', () => {
  it('needs nothing else: no script, no style, font or image from elsewhere', () => {
    const html = picture()
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|https?:|src=|href=/i)
    expect(html).toContain('c&lt;script&gt;&amp;&quot;')
    expect(html).toContain('<title>3 records &lt;delivered&gt;</title>')
  })
})

const chromium = [process.env.CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  path => path !== '' && existsSync(path),
)
if (chromium === undefined)
  console.log(
    'no Chromium here (/usr/bin/chromium, or CHROMIUM=path): the picture is not looked at in a browser',
  )

/** Measured by the browser, and told in the page's title. */
const MEASURE = `<script>addEventListener('load', () => {
  const boxes = [...document.querySelectorAll('svg rect, svg text')].map(each => [each.getAttribute('class') ?? 'text', each.getBoundingClientRect()])
  const svg = document.querySelector('svg').getBoundingClientRect()
  document.title = JSON.stringify({
    classes: boxes.map(([name]) => name).filter(name => name !== 'text' && name !== 'axis').sort(),
    visible: boxes.every(([, box]) => box.width > 0 && box.height > 0),
    inside: boxes.every(([, box]) => box.left >= svg.left - 1 && box.right <= svg.right + 1 && box.bottom <= svg.bottom + 1),
    colours: new Set([...document.querySelectorAll('svg rect')].map(each => getComputedStyle(each).fill)).size,
    scrolls: document.documentElement.scrollWidth > innerWidth,
  })
})</script>`

describe.skipIf(chromium === undefined)('the picture in a browser', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'picture-'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))

  it('shows each bar and each text, within its frame', async () => {
    const path = join(dir, 'picture.html')
    await writeFile(path, picture().replace('</body>', `${MEASURE}</body>`))
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(dir, 'profile')}`]
    const { stdout } = await promisify(execFile)(chromium!, [
      ...flags,
      '--window-size=1000,700',
      '--dump-dom',
      pathToFileURL(path).href,
    ])
    const told = /<title>(.*?)<\/title>/.exec(stdout)![1]!
    expect(JSON.parse(told)).toEqual({
      classes: ['failed', 'send', 'send', 'wait', 'wait'],
      visible: true,
      inside: true,
      colours: 3,
      scrolls: false,
    })
  })
})
