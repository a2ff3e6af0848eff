import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { chromium } from 'playwright-core'

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The path of a Chromium on this machine (`CHROMIUM` names another), or undefined. */
export const findChromium = () =>
  [process.env.CHROMIUM, ...CANDIDATES].find(path => path !== undefined && existsSync(path))

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Where the built site pretends to be; a browser treats it as secure, so that the clipboard works. */
export const ORIGIN = 'http://localhost:8080'

/**
 * A Chromium that has the built site and no network: each request is answered from the folder, as GitHub Pages would, and one that leaves the
 * site's address is a problem. No change of the machine's network can abort a request.
 *
 * @param executablePath the browser
 * @param folder what VitePress has built
 * @param base the path of the site's home page
 */
export const openBrowser = async (executablePath, folder, base) => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })

  const answer = url => {
    if (url.origin !== ORIGIN || !url.pathname.startsWith(base)) return undefined
    const path = folder + url.pathname.slice(base.length)
    const file = [`${path}index.html`, `${path}.html`, path].find(
      each => existsSync(each) && extname(each) !== '',
    )
    return file && { status: 200, contentType: TYPES[extname(file)], body: readFileSync(file) }
  }

  return {
    close: () => browser.close(),
    /** A window, and the list of what went wrong in it: messages of the console, exceptions, requests that failed. */
    async window(options) {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
      const problems = []
      await context.route('**/*', route => {
        const answered = answer(new URL(route.request().url()))
        if (answered !== undefined) return route.fulfill(answered)
        problems.push(`${route.request().url()}: not a file of the site`)
        return route.abort()
      })
      const page = await context.newPage()
      page.on('pageerror', error => problems.push(`${page.url()}: ${error.stack}`))
      page.on('console', message => {
        if (['error', 'warning'].includes(message.type())) problems.push(`${page.url()}: ${message.text()}`)
      })
      return {
        page,
        problems,
        close: () => context.close(),
        /** Opens a page of the site, by its path below the base, and waits until Vue runs it. */
        async open(path) {
          await page.goto(`${ORIGIN}${base}${path}`, { waitUntil: 'load' })
          await page.waitForFunction(() => document.querySelector('#app')?.__vue_app__ !== undefined)
        },
      }
    },
  }
}
