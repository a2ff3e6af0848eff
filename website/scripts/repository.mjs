import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's folder, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

export const { name, version, description } = manifest

/** The repository's address on GitHub, without a slash at its end. */
export const repository = manifest.repository.url.replace(/^git\+|\.git$/g, '')
