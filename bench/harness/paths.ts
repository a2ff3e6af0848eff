import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NAME = 'kafkajs-resilient-producer'

/** The compiled benchmark stands in build/bench, its peers in bench/peers: both are found from the package's root. */
const findRoot = (from: string): string => {
  const manifest = join(from, 'package.json')
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === NAME) return from
  const parent = dirname(from)
  if (parent === from) throw new Error(`no package.json of ${NAME} above ${fileURLToPath(import.meta.url)}`)
  return findRoot(parent)
}

export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)))
export const PEERS = join(ROOT, 'bench', 'peers')
export const RESULTS = join(ROOT, 'bench', 'results')
