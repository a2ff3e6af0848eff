import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const chromium = [process.env.CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  path => path !== '' && existsSync(path),
)

export const hasBrowser: boolean = chromium !== undefined
if (!hasBrowser)
  console.log('no Chromium here (/usr/bin/chromium, or CHROMIUM=path): pages are not looked at in a browser')

export interface Look {
  /** Widths of the windows in which the page is looked at, in CSS pixels. */
  readonly widths: readonly number[]
  readonly dark?: boolean
}

/**
 * Opens a page in a real browser and evaluates `script`, an expression, in it: once for each width. The page's own policy stays, but
 * for what is measured with.
 */
export async function lookAt(
  html: string,
  script: string,
  { widths, dark = false }: Look,
): Promise<unknown[]> {
  const dir = await mkdtemp(join(tmpdir(), 'page-'))
  try {
    const measure = `<script>addEventListener('load', () => parent.postMessage(JSON.stringify({ width: innerWidth, told: (${script}) }), '*'))</script>`
    const measured = html
      .replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
      .replace('</body>', () => `${measure}</body>`)
    await writeFile(join(dir, 'page.html'), measured)
    const frames = widths.map(
      width => `<iframe src="page.html" width="${width}" height="800" style="border: 0"></iframe>`,
    )
    const collect = `<script>const told = []; addEventListener('message', ({ data }) => { told.push(data); document.title = '[' + told + ']' })</script>`
    const outer = join(dir, 'outer.html')
    await writeFile(outer, `<title>[]</title>${collect}${frames.join('')}`)
    const { stdout } = await promisify(execFile)(chromium!, [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${join(dir, 'profile')}`,
      ...(dark ? ['--blink-settings=preferredColorScheme=0'] : []),
      '--window-size=1400,900',
      '--virtual-time-budget=10000',
      '--dump-dom',
      pathToFileURL(outer).href,
    ])
    const titles = /<title>(.*?)<\/title>/.exec(stdout)![1]!
    const told = JSON.parse(
      titles.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
    ) as {
      width: number
      told: unknown
    }[]
    return widths.map(width => told.find(each => each.width === width)?.told)
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
