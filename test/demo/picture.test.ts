import { describe, expect, it } from 'vitest'
import { Deliveries } from '../../demo/deliveries.js'
import { pictureOf } from '../../demo/picture.js'
import { hasBrowser, lookAt } from '../cli/support/browser.js'

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
    expect(html).toContain("default-src 'none'")
    expect(html).toContain('c&lt;script&gt;&amp;&quot;')
    expect(html).toContain('<title>3 records &lt;delivered&gt;</title>')
  })
})

const MEASURE = `(() => {
  const boxes = [...document.querySelectorAll('svg rect, svg text')].map(each => [each.getAttribute('class') ?? 'text', each.getBoundingClientRect()])
  const svg = document.querySelector('svg').getBoundingClientRect()
  return {
    classes: boxes.map(([name]) => name).filter(name => name !== 'text' && name !== 'axis').sort(),
    visible: boxes.every(([, box]) => box.width > 0 && box.height > 0),
    inside: boxes.every(([, box]) => box.left >= svg.left - 1 && box.right <= svg.right + 1 && box.bottom <= svg.bottom + 1),
    colours: new Set([...document.querySelectorAll('svg rect')].map(each => getComputedStyle(each).fill)).size,
    scrolls: document.documentElement.scrollWidth > innerWidth,
  }
})()`

describe.skipIf(!hasBrowser)('the picture in a browser', () => {
  it('shows each bar and each text, within its frame', async () => {
    expect(await lookAt(picture(), MEASURE, { widths: [1000] })).toEqual([
      {
        classes: ['failed', 'send', 'send', 'wait', 'wait'],
        visible: true,
        inside: true,
        colours: 3,
        scrolls: false,
      },
    ])
  })
})
