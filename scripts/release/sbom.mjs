// The bill of materials (CycloneDX): what the package depends on, and the packages whose code was built into it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const npmSbom = (folder, ...omitted) =>
  JSON.parse(
    execFileSync(
      'npm',
      [
        'sbom',
        '--package-lock-only',
        '--sbom-format',
        'cyclonedx',
        '--sbom-type',
        'library',
        ...omitted.map(kind => `--omit=${kind}`),
      ],
      { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
    ),
  )

/** `name version` of each package whose licence the build wrote down, because its code is in the output. */
const builtIn = folder => {
  let notices = ''
  try {
    notices = readFileSync(join(folder, 'dist', 'LICENSES-OF-PARTS.txt'), 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return notices
    .split('\n---\n\n')
    .map(notice => notice.split('\n')[0].trim())
    .filter(Boolean)
}

/**
 * @param {string} folder a built checkout
 * @param {{ sha256: string, date: string }} release the tarball's checksum and the commit's date: two runs give the same bytes
 */
export const sbomOf = (folder, { sha256, date }) => {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const sbom = npmSbom(folder, 'dev', 'peer', 'optional')
  const parts = new Set(builtIn(folder))
  const bundled = npmSbom(folder)
    .components.filter(each => parts.has(`${each.name} ${each.version}`))
    .map(each => ({ ...each, scope: 'required', properties: [{ name: 'bundled', value: 'true' }] }))
  if (bundled.length !== parts.size)
    throw new Error(`package-lock.json does not have all of ${[...parts].join(', ')}`)

  const hex = sha256.slice(0, 32)
  sbom.serialNumber = `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-')}`
  sbom.metadata.timestamp = date
  sbom.metadata.tools.push({ vendor: 'nodejs', name: 'node', version: process.versions.node })
  sbom.metadata.component.name = name
  sbom.metadata.component.hashes = [{ alg: 'SHA-256', content: sha256 }]
  sbom.components.push(...bundled)
  const [own] = sbom.dependencies.filter(({ ref }) => ref === `${name}@${version}`)
  own?.dependsOn.push(...bundled.map(each => each['bom-ref']))
  return `${JSON.stringify(sbom, null, 2)}\n`
}
