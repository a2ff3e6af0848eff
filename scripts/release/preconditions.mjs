// What must hold before a release: everything that is wrong is told at once.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newestSection } from './changelog.mjs'

const git = (root, ...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

/** @returns {{ version: string, problems: string[] }} */
export const checkRelease = root => {
  const read = name => readFileSync(join(root, name), 'utf8')
  const { version } = JSON.parse(read('package.json'))
  return {
    version,
    problems: [
      ...treeProblems(root),
      ...tagProblems(root, version),
      ...changelogProblems(read('CHANGELOG.md'), version),
      ...lockProblems(JSON.parse(read('package-lock.json')), version),
      ...changesetProblems(join(root, '.changeset')),
    ],
  }
}

const treeProblems = root => {
  const changes = git(root, 'status', '--porcelain').split('\n').filter(Boolean)
  if (changes.length === 0) return []
  return [
    `The working tree has ${changes.length} changes (${changes[0].trim()}): commit them or put them aside.`,
  ]
}

const tagProblems = (root, version) => {
  const tags = git(root, 'tag', '--points-at', 'HEAD')
    .split('\n')
    .filter(tag => /^v\d/.test(tag))
  if (tags.length === 1 && tags[0] === `v${version}`) return []
  return tags.length === 0
    ? [`HEAD has no tag: tag the release with \`git tag v${version}\`.`]
    : [`HEAD has the tag ${tags.join(', ')}, and package.json has version ${version}: they must be the same.`]
}

const changelogProblems = (changelog, version) => {
  const newest = newestSection(changelog)
  if (newest?.heading !== version)
    return [
      `The newest section of CHANGELOG.md is ${newest?.heading ?? 'missing'}, not ${version}: run \`npm run version\`.`,
    ]
  return newest.text === '' ? [`The section ${version} of CHANGELOG.md is empty.`] : []
}

const lockProblems = (lock, version) =>
  lock.version === version && lock.packages[''].version === version
    ? []
    : [
        `package-lock.json has version ${lock.version}, not ${version}: run \`npm install --package-lock-only\`.`,
      ]

const changesetProblems = folder => {
  if (!existsSync(folder)) return []
  const left = readdirSync(folder).filter(name => name.endsWith('.md') && name !== 'README.md')
  return left.length === 0
    ? []
    : [`${left.length} changesets are in no release yet: run \`npm run version\`.`]
}
