import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addressOf, sitePages } from '../scripts/pages.mjs'
import { name, repository, root } from '../scripts/repository.mjs'
import { findChromium, ORIGIN, openBrowser } from './support/browser.mjs'
import { contrastOf, measure } from './support/measure.mjs'

const website = fileURLToPath(new URL('../', import.meta.url))
const dist = `${website}.vitepress/dist/`
const base = `/${name}/`
const PHONE = { viewport: { width: 360, height: 740 } }
const WINDOWS = 3
/** A link to a file or folder of the repository. */
const SOURCE = new RegExp(`^${repository}/(?:blob|tree|edit)/main/([^#]+)`)

/** Paths below the base, as links have them. */
const builtPaths = () =>
  readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.html') && path !== '404.html')
    .map(addressOf)

before(
  async () => {
    await promisify(execFile)('npm', ['run', 'build'], { cwd: website, shell: process.platform === 'win32' })
  },
  { timeout: 300_000 },
)

test('every page of the repository is on the site', () => {
  const built = new Set(builtPaths())
  const expected = [...sitePages().values()].map(({ path }) => addressOf(path))
  assert.ok(expected.length > 50)
  assert.deepEqual(
    expected.filter(path => !built.has(path)),
    [],
  )
})

test('every public name has a page in the API reference', async () => {
  const built = builtPaths()
  for (const file of ['src/errors/index.ts', 'src/index.ts']) {
    const names = readFileSync(root + file, 'utf8').match(/\b[A-Z]\w+(?=[\s,}])/g)
    assert.ok(names.length > 10)
    for (const each of names)
      assert.ok(
        built.some(path => path.startsWith('api/') && path.endsWith(`/${each}`)),
        `${each} has no page`,
      )
  }
})

const executable = findChromium()
if (executable === undefined)
  console.log(
    'no Chromium here (/usr/bin/chromium, or CHROMIUM=path): the site is built, and not opened in a browser',
  )

describe('the site in a browser', { skip: executable === undefined }, () => {
  let browser
  before(async () => {
    browser = await openBrowser(executable, dist, base)
  })
  after(() => browser?.close())

  /** What `use` returns of a window that opens `path`; fails on any problem in it. */
  const visit = async (path, options, use) => {
    const window = await browser.window(options)
    try {
      await window.open(path)
      const result = await use(window.page)
      assert.deepEqual(window.problems, [])
      return result
    } finally {
      await window.close()
    }
  }

  test('every page opens on a phone: no error, nothing cut off, no dead link', {
    timeout: 300_000,
  }, async () => {
    const seen = new Map()
    const problems = []
    const paths = builtPaths()
    const readAll = async () => {
      const window = await browser.window(PHONE)
      for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
        await window.open(path)
        seen.set(base + path, await window.page.evaluate(measure))
      }
      problems.push(...window.problems)
      await window.close()
    }
    await Promise.all(Array.from({ length: WINDOWS }, readAll))
    assert.deepEqual(problems, [])

    const which = wrong => [...seen].filter(([, page]) => wrong(page)).map(([path]) => path)
    assert.deepEqual(
      which(({ title }) => title === ''),
      [],
      'pages without a title',
    )
    assert.deepEqual(
      which(({ scrollsSideways }) => scrollsSideways),
      [],
      'pages that scroll sideways',
    )
    assert.deepEqual(
      [...seen.values()].flatMap(({ outside }) => outside),
      [],
      'what is cut off',
    )
    const leads = link => {
      const { origin, pathname, hash } = new URL(link)
      if (origin === ORIGIN) {
        const target = seen.get(pathname)
        return (
          target !== undefined && (hash.length < 2 || target.ids.includes(decodeURIComponent(hash.slice(1))))
        )
      }
      const [, path] = SOURCE.exec(link) ?? []
      return path === undefined || existsSync(root + path)
    }
    const dead = [...seen].flatMap(([path, { links }]) =>
      links.filter(link => !leads(link)).map(link => `${path}: ${link}`),
    )
    assert.deepEqual(dead, [])
  })

  test('the search finds an error', async () => {
    await visit('', {}, async page => {
      await page.locator('.DocSearch-Button').click()
      await page.locator('.VPLocalSearchBox input').fill('TopicCreationDisabledError')
      const results = page.locator('.VPLocalSearchBox .result')
      await results.first().waitFor()
      const found = await results.evaluateAll(all => all.map(({ pathname, hash }) => pathname + hash))
      assert.ok(found.includes(`${base}docs/troubleshooting#topiccreationdisablederror`), `${found}`)
      await results.first().click()
      await page.locator('.vp-doc', { hasText: 'TopicCreationDisabledError' }).waitFor()
    })
  })

  for (const colorScheme of ['light', 'dark'])
    test(`the ${colorScheme} theme follows the system and can be read`, async () => {
      for (const path of ['docs/options', `api/${name}/functions/createResilientProducer`])
        await visit(path, { colorScheme }, async page => {
          assert.equal(await page.locator('html.dark').count(), colorScheme === 'dark' ? 1 : 0)
          for (const selector of ['p', 'a', 'code', 'td']) {
            const contrast = await page.locator(`.vp-doc ${selector}`).first().evaluate(contrastOf)
            assert.ok(contrast >= 4.5, `${path}: ${selector} has a contrast of ${contrast}`)
          }
        })
    })

  test('the switch of the theme holds for the next page', async () => {
    await visit('docs/', { colorScheme: 'light' }, async page => {
      await page.locator('.VPNavBarAppearance .VPSwitchAppearance').click()
      await page.locator('html.dark').waitFor()
      await page.goto(`${ORIGIN}${base}docs/options`)
      await page.locator('html.dark').waitFor()
    })
  })

  test('a block of code can be copied', async () => {
    await visit('', { permissions: ['clipboard-read', 'clipboard-write'] }, async page => {
      const block = page.locator('div[class*=language-sh]').first()
      await block.hover()
      await block.locator('button.copy').click()
      await page.locator('button.copy.copied').waitFor()
      assert.equal(
        await page.evaluate(() => navigator.clipboard.readText()),
        'npm install kafkajs-resilient-producer kafkajs',
      )
    })
  })

  test('diagrams are drawn', async () => {
    const { markdown } = sitePages().get('ARCHITECTURE.md')
    const diagrams = markdown.match(/^```mermaid$/gm).length
    await visit('architecture', {}, async page => {
      await page.waitForFunction(
        count => document.querySelectorAll('.mermaid svg').length === count,
        diagrams,
      )
      assert.ok((await page.locator('.mermaid').first().textContent()).includes('Caller'))
    })
  })

  test('a page leads to its source', async () => {
    for (const path of ['docs/decisions/waits', 'docs/embedded-cluster', 'security'])
      await visit(path, {}, async page => {
        const [, source] = SOURCE.exec(await page.locator('.edit-link-button').getAttribute('href'))
        assert.ok(existsSync(root + source), source)
      })
  })

  test('the sidebar has every page of the documentation', async () => {
    await visit('docs/', {}, async page => {
      const listed = new Set(
        await page.locator('.VPSidebar a').evaluateAll(all => all.map(({ pathname }) => pathname)),
      )
      const pages = [...sitePages().values()].map(({ path }) => base + addressOf(path))
      assert.deepEqual(
        pages.filter(path => path !== base && !listed.has(path)),
        [],
      )
    })
  })

  test('the API reference says of every option of the schema what it is', async () => {
    const [, table] = readFileSync(`${root}docs/options.md`, 'utf8').split(/<!-- \/?options.*-->/)
    const options = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, option]) => option)
    assert.ok(options.length > 20)
    await visit(`api/${name}/interfaces/ResilientProducerOptions`, {}, async page => {
      const headings = await page.locator('.vp-doc h3').evaluateAll(all => all.map(({ id }) => id))
      assert.deepEqual(
        options.filter(option => !headings.includes(option.toLowerCase())),
        [],
      )
    })
  })
})
