import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PEERS } from './paths.js'
import { type Finished, hasCommand, run } from './process.js'

export const JARS = join(PEERS, 'java', 'jars')
export const FRANZ_GO = join(PEERS, 'franz-go', 'franz-go-peer')

const lastLine = ({ stdout, stderr }: Finished): string =>
  `${stdout}\n${stderr}`.trim().split('\n').at(-1)?.trim() ?? ''

/** Kafka's jars from Maven Central, once; the reason when they cannot be had. */
export const ensureJars = async (): Promise<string | undefined> => {
  if (existsSync(JARS)) return undefined
  if (!(await hasCommand('java', '-version'))) return 'no java (17 or newer) here'
  if (!(await hasCommand('mvn', '-v'))) return 'no mvn here to fetch the jars with'
  const pom = join(PEERS, 'java', 'pom.xml')
  const goal = ['dependency:copy-dependencies', '-Dmdep.useBaseVersion=true', `-DoutputDirectory=${JARS}`]
  const result = await run('mvn', ['-q', '-B', '-f', pom, ...goal])
  return result.code === 0 ? undefined : `mvn ended with ${result.code}: ${lastLine(result)}`
}

export const ensureFranzGo = async (): Promise<string | undefined> => {
  if (existsSync(FRANZ_GO)) return undefined
  if (!(await hasCommand('go', 'version'))) return 'no go here'
  const result = await run('go', ['build', '-o', FRANZ_GO, '.'], { cwd: join(PEERS, 'franz-go') })
  return result.code === 0 ? undefined : `go build ended with ${result.code}: ${lastLine(result)}`
}

/**
 * The peers from npm. Those that are compiled are optional dependencies: one that does not compile here is left out by
 * npm and skipped by the questions. CKJS_LINKING=dynamic lets Confluent's client build with the machine's own libraries
 * where its prebuilt binary cannot be fetched.
 */
const installFromNpm = async (folder: string): Promise<string | undefined> => {
  // `npm run` hands this project's own ignore-scripts down, above the peers' .npmrc: nothing would be compiled.
  const { npm_config_ignore_scripts: _, ...inherited } = process.env
  const env = { CKJS_LINKING: 'dynamic', ...inherited }
  const result = await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, env })
  return result.code === 0 ? undefined : `npm ended with ${result.code}: ${lastLine(result)}`
}

/** Everything the questions compare with; a line for each step. */
export const installPeers = async (log: (line: string) => void): Promise<void> => {
  const steps: [string, () => Promise<string | undefined>][] = [
    ['npm clients (two are compiled: minutes)', () => installFromNpm(PEERS)],
    ['npm clients that need Node 24', () => installFromNpm(join(PEERS, 'node24'))],
    ['Kafka jars', ensureJars],
    ['franz-go', ensureFranzGo],
  ]
  for (const [name, step] of steps) {
    log(`${name} ...`)
    const failure = await step()
    log(`${name}: ${failure === undefined ? 'ready' : `skipped, ${failure}`}`)
  }
}
