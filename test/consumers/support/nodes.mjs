// The releases of Node.js that the package runs on, as programs: this one, and the others from npm.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './install.mjs'

const RELEASES = ['20', '22', '24']

/** Release to the path of its `node`; only this one where npm has none for this machine. */
export async function nodesOf(folder) {
  const own = process.versions.node.split('.')[0]
  const nodes = { [own]: process.execPath }
  if (process.platform !== 'linux') return nodes
  for (const release of RELEASES.filter(each => each !== own)) {
    const home = join(folder, `node-${release}`)
    await mkdir(home)
    const name = `node-linux-${process.arch}`
    await run('npm', [
      'install',
      '--silent',
      '--no-save',
      '--ignore-scripts',
      '--prefix',
      home,
      `${name}@${release}`,
    ])
    nodes[release] = join(home, 'node_modules', name, 'bin', 'node')
  }
  return nodes
}

/** One check a release: `name` on each of them. */
export const onEach = (name, check) =>
  Object.fromEntries(
    RELEASES.map(release => [
      `${name}, Node ${release}`,
      (folder, { nodes }) => {
        if (!nodes[release]) throw new Error(`there is no Node ${release} here`)
        return check(folder, nodes[release])
      },
    ]),
  )
