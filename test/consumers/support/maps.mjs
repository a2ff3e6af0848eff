// Source maps and declaration maps: every source is in the package, or its text is in the map.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What is wrong below `folder`: a map whose source is nowhere, or a script or declaration that has no map. */
export async function mapsWithoutSource(folder) {
  const files = (await readdir(join(folder, 'dist'), { recursive: true })).map(file =>
    join(folder, 'dist', file),
  )
  const problems = []
  for (const file of files) {
    if (file.endsWith('.map')) {
      const { sources, sourcesContent = [] } = JSON.parse(await readFile(file, 'utf8'))
      for (const [index, source] of sources.entries())
        if (!sourcesContent[index] && !existsSync(join(dirname(file), source)))
          problems.push(`${file}: ${source}`)
    } else if (/\.(c?js|d\.cts)$/.test(file)) {
      const [, map] = /\/\/# sourceMappingURL=(.*)$/m.exec(await readFile(file, 'utf8')) ?? []
      if (map && !existsSync(join(dirname(file), map))) problems.push(`${file}: no ${map}`)
    }
  }
  if (!files.some(file => file.endsWith('.d.cts.map'))) problems.push('no declaration maps')
  return problems
}
