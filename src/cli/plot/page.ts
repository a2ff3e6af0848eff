import { createHash } from 'node:crypto'

export interface Page {
  readonly title: string
  /** What the page adds to the style that all pages have. */
  readonly style: string
  /** HTML, with every text in it escaped. */
  readonly body: string
}

const STYLE = `:root { color-scheme: light dark; --ink: #1d2733; --faint: #5c6773; --line: #dfe4ea; --paper: #fff; --wait: #f2b84b; --send: #2f7ed8; --bad: #c73a3a }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --faint: #9aa7b4; --line: #333d48; --paper: #14191f; --bad: #e06060 } }
body { margin: 2rem auto; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.35rem; overflow-wrap: anywhere } p { color: var(--faint) } svg { display: block; width: 100%; height: auto }
text { fill: var(--ink); font-size: 13px } .axis { fill: var(--faint); font-size: 11px } .tick { stroke: var(--line) }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em }
`

/**
 * A page in one file that needs nothing else: no script, no font, no request. Its policy forbids all of them, so that nothing that came
 * from outside can do more than stand there as text.
 *
 * @see https://www.w3.org/TR/CSP3/
 */
export function htmlPage({ title, style, body }: Page): string {
  const css = STYLE + style
  const hash = createHash('sha256').update(css).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${css}</style>
</head>
<body>
${body}
</body>
</html>
`
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** Text in HTML or SVG, between tags or in an attribute's quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, each => ENTITIES.get(each)!)
