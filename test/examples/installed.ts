import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const examples = new URL('../../examples/', import.meta.url)

/** Whether an example's own packages are there; the tests install nothing. */
export const isInstalled = (example: string, ...packages: readonly string[]): boolean => {
  const { resolve } = createRequire(new URL(`${example}/package.json`, examples))
  return packages.every(name => {
    try {
      return resolve(name) !== undefined
    } catch {
      return false
    }
  })
}

export const pathOf = (file: string): string => fileURLToPath(new URL(file, examples))

/** In a suite's name, where its tests are skipped. */
export const howToInstall = (example: string): string =>
  `[skipped: run \`npm install\` in examples/${example}, and \`npm run build\` before]`
