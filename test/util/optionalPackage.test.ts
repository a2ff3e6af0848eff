import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isMissing, requireOptional } from '../../src/util/optionalPackage.js'

describe('a package that is missing', () => {
  test('is told from one that misses something itself', () => {
    const { resolve } = createRequire(import.meta.url)
    const failure = (name: string): unknown => {
      try {
        return resolve(name, { paths: [] })
      } catch (error) {
        return error
      }
    }
    expect(isMissing(failure('snappy'), 'snappy')).toBe(true)
    expect(isMissing(failure('@napi-rs/snappy-linux-x64-gnu'), 'snappy')).toBe(false)
    expect(isMissing(new Error('boom'), 'snappy')).toBe(false)
    expect(isMissing('boom', 'snappy')).toBe(false)
  })

  test('is known from the error of Yarn’s Plug’n’Play, which has words of its own', () => {
    const error = {
      code: 'MODULE_NOT_FOUND',
      pnpCode: 'MISSING_PEER_DEPENDENCY',
      data: { request: 'snappy' },
    }
    expect(isMissing(error, 'snappy')).toBe(true)
    expect(isMissing(error, 'lz4-napi')).toBe(false)
  })

  test('is an error that names it', () => {
    expect(() => requireOptional('kafkajs-no-such-package')).toThrow(/'kafkajs-no-such-package'/)
  })
})

describe('in a bundle', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'))
    mkdirSync(join(folder, 'app'))
    mkdirSync(join(folder, 'elsewhere'))
    const installed = join(folder, 'app', 'node_modules', 'optional-thing')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'index.js'), "module.exports = 'found'")
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test.each([
    ['cjs', 'app.cjs', 'elsewhere'],
    ['es', 'app.mjs', 'elsewhere'],
  ] as const)(
    'as %s, what is installed beside it is found from any working directory',
    async (format, name, cwd) => {
      const source = new URL('../../src/util/optionalPackage.ts', import.meta.url).pathname
      const build = await rolldown({
        input: 'entry',
        platform: 'node',
        plugins: [
          {
            name: 'entry',
            resolveId: id => (id === 'entry' ? id : null),
            load: id =>
              id === 'entry'
                ? `import { requireOptional } from ${JSON.stringify(source)}\nconsole.log(requireOptional('optional-thing'))`
                : null,
          },
        ],
      })
      await build.write({ format, dir: join(folder, 'app'), entryFileNames: name, minify: true })
      await build.close()
      const printed = execFileSync(process.execPath, [join(folder, 'app', name)], { cwd: join(folder, cwd) })
      expect(String(printed).trim()).toBe('found')
    },
  )
})
