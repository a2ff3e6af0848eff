import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { classpathOf, type KafkaHome, quiet } from './kafkaHome.js'
import { toProperties } from './settings.js'

const run = promisify(execFile)

/** Every cluster's id: tests meet at ports, never at ids. */
const clusterId = '4L6g3nShT-eMCtK--X86sw'

/** Each node is broker and controller in one. */
export const kraftSettings = (
  id: number,
  ports: readonly number[],
  controllerPorts: readonly number[],
): Record<string, string> => ({
  'process.roles': 'broker,controller',
  'node.id': String(id),
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.voters': controllerPorts.map((port, i) => `${i + 1}@127.0.0.1:${port}`).join(','),
  listeners: `PLAINTEXT://127.0.0.1:${ports[id - 1]},CONTROLLER://127.0.0.1:${controllerPorts[id - 1]}`,
})

/** Formats the log folder that the settings name. */
export async function formatKraft(home: KafkaHome, properties: string): Promise<void> {
  const format = ['format', '-t', clusterId, '-c', properties]
  const tool = ['-cp', await classpathOf(home), ...quiet(), 'kafka.tools.StorageTool']
  await run('java', [...tool, ...format], { timeout: 60_000 })
}

/** Writes what `StorageTool format` would write, without its JVM: the folder's own id is 16 random bytes, the rest is known. */
export async function fillKraftFolder(home: KafkaHome, data: string, id: number): Promise<void> {
  await cp(home.bootstrap, data, { recursive: true })
  const directoryId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
    .toString('base64url')
    .replace(/^-/, 'A')
  await writeFile(
    join(data, 'meta.properties'),
    toProperties({
      version: '1',
      'cluster.id': clusterId,
      'node.id': String(id),
      'directory.id': directoryId,
    }),
  )
}
