import { formatCount } from '../terminal/format.js'
import type { TableText } from '../terminal/table.js'
import { escaped } from './page.js'

/** It scrolls by itself where it is wider than the page. */
export const TABLE_STYLE = `.table { overflow-x: auto; margin: 1rem 0 } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
th { color: var(--faint); font-weight: 500; text-align: left } th, td { padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
th.right, td.right { text-align: right } td:first-child { max-width: 60vw; overflow-wrap: anywhere; white-space: normal }
`

/** @param mostRows how many are shown; a line says how many are not */
export function htmlTable({ columns, rows }: TableText, mostRows: number): string {
  const cells = (tag: 'th' | 'td', texts: readonly string[]) =>
    `<tr>${texts
      .map(
        (text, at) =>
          `<${tag}${columns[at]?.align === 'right' ? ' class="right"' : ''}>${escaped(text)}</${tag}>`,
      )
      .join('')}</tr>`
  const hidden = rows.length - mostRows
  return `<div class="table" tabindex="0"><table>
<thead>${cells(
    'th',
    columns.map(each => each.title.toLowerCase()),
  )}</thead>
<tbody>${rows
    .slice(0, mostRows)
    .map(each => cells('td', each))
    .join('\n')}</tbody>
</table>${hidden > 0 ? `<p>and ${formatCount(hidden)} more</p>` : ''}</div>`
}
