// The name alone would make webpack look for what is required.
import nodeModule from 'node:module'
import { isAbsolute, join } from 'node:path'

/**
 * `require()` of a package that the user may have installed, hidden from bundlers: native packages cannot be bundled, and one
 * that is not installed must not fail the build. It is looked for beside this package (where pnpm and Yarn put optional peers), or
 * beside the bundle that this package is a part of; then beside the program, and in the working directory.
 *
 * @throws the error of the last place, where the package is in none; its own, where it is there and fails
 */
export const requireOptional = (name: string): unknown => {
  let missing: unknown
  for (const place of placesToLook()) {
    try {
      return nodeModule.createRequire(place)(name)
    } catch (error) {
      if (!isMissing(error, name)) throw error
      missing = error
    }
  }
  throw missing
}

/** Files from which `require()` looks upwards. The first is there where this runs as CommonJS: in Node.js, Jest and most bundles. */
const placesToLook = (): readonly string[] => {
  const own = typeof __filename === 'string' ? [__filename] : []
  const program = process.argv[1] === undefined ? [] : [process.argv[1]]
  return [...own, ...program, join(process.cwd(), 'index.js')].filter(place => isAbsolute(place))
}

/** Whether the package itself is not there, and not something that it needs. */
export const isMissing = (error: unknown, name: string): boolean => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false
  // Yarn's Plug'n'Play has words of its own, and says in `data` what was asked for.
  if ('pnpCode' in error) return requestOf(error) === name
  const isNotFound = error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND'
  return isNotFound && 'message' in error && String(error.message).includes(`'${name}'`)
}

const requestOf = (error: object): unknown => {
  const data: unknown = 'data' in error ? error.data : undefined
  return typeof data === 'object' && data !== null && 'request' in data ? data.request : undefined
}
