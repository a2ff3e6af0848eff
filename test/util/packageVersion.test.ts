import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../src/util/packageVersion.js'

test('brokers and metrics are told the name and the version of package.json', () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect([PACKAGE_NAME, PACKAGE_VERSION]).toEqual([name, version])
})
