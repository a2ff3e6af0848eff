import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const project = fileURLToPath(new URL('../../', import.meta.url))
const script = (name: string): string => join(project, 'scripts', name)

let folder: string
beforeEach(() => {
  // On the project's file system, where its packages can be linked; `build` is not committed.
  mkdirSync(join(project, 'build'), { recursive: true })
  folder = mkdtempSync(join(project, 'build', 'release-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe',
  })

const run = (cwd: string, name: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script(name), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, GITHUB_ACTIONS: '', npm_config_offline: 'true' },
  })
  return { status, stdout, stderr }
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

/** A package of one file, committed and tagged as a release. */
const smallPackage = (files: Readonly<Record<string, string>> = {}): string => {
  const root = join(folder, 'small')
  mkdirSync(join(root, '.changeset'), { recursive: true })
  const manifest = {
    name: 'small',
    version: '1.2.0',
    license: 'MIT',
    files: ['index.js'],
    scripts: { check: 'node index.js' },
  }
  const all = {
    'package.json': JSON.stringify(manifest),
    'package-lock.json': JSON.stringify({
      name: 'small',
      version: '1.2.0',
      lockfileVersion: 3,
      requires: true,
      packages: { '': { name: 'small', version: '1.2.0', license: 'MIT' } },
    }),
    'index.js': 'console.log("checked")\n',
    'CHANGELOG.md': '# Changelog\n\n## 1.2.0\n\n- More.\n\n## 1.1.0\n\n- First.\n',
    '.gitignore': '/release/\n',
    '.changeset/config.json': readFileSync(join(project, '.changeset', 'config.json'), 'utf8'),
    ...files,
  }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(root, name), text)
  git(root, 'init', '--quiet', '--initial-branch', 'main')
  git(root, 'add', '--all')
  git(root, 'commit', '--quiet', '--message', 'A release')
  return root
}

describe('npm run release', () => {
  test('builds, checks and packs a clean clone, and publishes nothing', () => {
    const root = smallPackage()
    git(root, 'tag', 'v1.2.0')
    writeFileSync(join(root, '.git', 'info', 'exclude'), 'ignored.js\n')
    writeFileSync(join(root, 'ignored.js'), 'not committed')
    const { status, stdout, stderr } = run(root, 'release.mjs')
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toContain('checked')
    expect(stdout).toContain('Nothing was published')
    expect(readdirSync(join(root, 'release')).sort()).toEqual([
      'SHA256SUMS',
      'small-1.2.0.cdx.json',
      'small-1.2.0.tgz',
    ])
    const sums = readFileSync(join(root, 'release', 'SHA256SUMS'), 'utf8')
    for (const name of ['small-1.2.0.tgz', 'small-1.2.0.cdx.json'])
      expect(sums).toContain(`${sha256(join(root, 'release', name))}  ${name}\n`)
    const sbom = JSON.parse(readFileSync(join(root, 'release', 'small-1.2.0.cdx.json'), 'utf8'))
    expect(sbom).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'small', version: '1.2.0' } },
    })
    expect(git(root, 'status', '--porcelain')).toBe('')
  }, 60_000)

  test('ends with the check that fails, and leaves no files', () => {
    const root = smallPackage({ 'index.js': 'process.exit(3)\n' })
    git(root, 'tag', 'v1.2.0')
    const { status, stderr } = run(root, 'release.mjs')
    expect(status).toBe(1)
    expect(stderr).toContain('Version 1.2.0 is not released')
    expect(existsSync(join(root, 'release'))).toBe(false)
  }, 60_000)

  test('tells all that is wrong at once', () => {
    const root = smallPackage({
      'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- More.\n',
      '.changeset/a.md': '---\nsmall: patch\n---\n\nA change.\n',
    })
    git(root, 'tag', 'v1.1.0')
    writeFileSync(join(root, 'index.js'), 'console.log("changed")\n')
    const { status, stderr } = run(root, 'release.mjs', '--publish')
    expect(status).toBe(1)
    expect(stderr.split('\n').filter(line => line.startsWith('  - '))).toEqual([
      '  - The working tree has 1 changes (M index.js): commit them or put them aside.',
      '  - HEAD has the tag v1.1.0, and package.json has version 1.2.0: they must be the same.',
      '  - The newest section of CHANGELOG.md is Unreleased, not 1.2.0: run `npm run version`.',
      '  - 1 changesets are in no release yet: run `npm run version`.',
      '  - Only the release workflow can publish with provenance: push the tag, and it runs.',
    ])
    expect(existsSync(join(root, 'release'))).toBe(false)
  })

  test.each([
    ['no tag', {}, [], 'HEAD has no tag: tag the release with `git tag v1.2.0`.'],
    [
      'a lock file of another version',
      { 'package-lock.json': '{"version":"1.1.0","packages":{"":{"version":"1.1.0"}}}' },
      ['v1.2.0'],
      'package-lock.json has version 1.1.0',
    ],
    [
      'an empty section of the changelog',
      { 'CHANGELOG.md': '# Changelog\n\n## 1.2.0\n\n## 1.1.0\n\n- First.\n' },
      ['v1.2.0'],
      'The section 1.2.0 of CHANGELOG.md is empty.',
    ],
    ['two tags', {}, ['v1.2.0', 'v1.3.0'], 'HEAD has the tag v1.2.0, v1.3.0'],
  ] as const)('refuses %s', (_, files, tags, problem) => {
    const root = smallPackage(files)
    for (const tag of tags) git(root, 'tag', tag)
    const { status, stderr } = run(root, 'release.mjs')
    expect(status).toBe(1)
    expect(stderr).toContain(problem)
  })
})

describe('npm run version', () => {
  test('makes the version and its section of the changelog from the changesets', () => {
    const root = smallPackage({
      'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- By hand.\n\n## 1.2.0\n\n- More.\n',
      '.changeset/a.md': '---\n"small": minor\n---\n\nA change that\ntakes two lines.\n',
      '.changeset/b.md': '---\n"small": patch\n---\n\n- Another one.\n',
    })
    const { status, stderr } = run(root, 'version.mjs')
    expect(status, stderr).toBe(0)
    expect(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')).toBe(
      '# Changelog\n\n## 1.3.0\n\n- A change that\n  takes two lines.\n- Another one.\n- By hand.\n\n## 1.2.0\n\n- More.\n',
    )
    for (const name of ['package.json', 'package-lock.json'])
      expect(JSON.parse(readFileSync(join(root, name), 'utf8')).version).toBe('1.3.0')
    expect(readdirSync(join(root, '.changeset'))).toEqual(['config.json'])
  }, 60_000)

  test('says that there is nothing to release', () => {
    const { status, stderr } = run(smallPackage(), 'version.mjs')
    expect(status).toBe(1)
    expect(stderr).toContain('There are no changesets')
  })
})

/** The installed packages again, without their bytes: as `npm ci` would put them into the clone. */
const linkTree = (from: string, to: string): void => {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkTree(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else linkSync(source, target)
  }
}

test('two clones of one commit are packed into the same bytes, with a bill of all that is in them', async () => {
  // What is committed, and what is not yet: the working tree as it stands.
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: project,
    encoding: 'utf8',
  })
  const source = join(folder, 'source')
  for (const name of files.split('\0').filter(name => name !== '' && existsSync(join(project, name))))
    cpSync(join(project, name), join(source, name), { recursive: true })
  git(source, 'init', '--quiet')
  git(source, 'add', '--all', '--force')
  git(source, 'commit', '--quiet', '--message', 'A release')
  const pack = async (name: string) => {
    const clone = join(folder, name)
    git(folder, 'clone', '--quiet', source, clone)
    linkTree(join(project, 'node_modules'), join(clone, 'node_modules'))
    const release = join(folder, `${name}-release`)
    await promisify(execFile)(process.execPath, [script('release/pack.mjs'), clone, release])
    return { release, sums: readFileSync(join(release, 'SHA256SUMS'), 'utf8') }
  }
  const packed = await Promise.all([pack('one'), pack('a/folder/of/another/depth')])
  expect(packed[1]!.sums).toBe(packed[0]!.sums)
  const { name, version, dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  expect(packed[0]!.sums).toContain(
    `${sha256(join(packed[0]!.release, `${name}-${version}.tgz`))}  ${name}-${version}.tgz\n`,
  )
  const sbom = JSON.parse(readFileSync(join(packed[0]!.release, `${name}-${version}.cdx.json`), 'utf8'))
  const names = sbom.components.map((each: { name: string }) => each.name)
  // p-retry is built into the package; prom-client and kafkajs are its user's.
  expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), 'p-retry']))
  expect(names).not.toContain('kafkajs')
  expect(names).not.toContain('vitest')
}, 400_000)
