import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of this project by its path from the root, from the sources as well as from their compiled form in `build/`. */
export function projectFile(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package-lock.json'))) return join(folder, path)
    if (folder === dirname(folder)) throw new Error(`${path}: not inside the project`)
  }
}
