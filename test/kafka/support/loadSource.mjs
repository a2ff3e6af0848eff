import { fileURLToPath } from 'node:url'
// The sources are TypeScript, which Node 20 does not run: Vite, which runs the tests, loads them.
import { createServer } from 'vite'

const source = path => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url))

/** For a process of its own: the module at `url`, whose imports of the package are the sources. */
export const loadSource = async url => {
  const vite = await createServer({
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    resolve: { alias: { 'kafkajs-resilient-producer': source('index.ts') } },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  })
  return vite.ssrLoadModule(fileURLToPath(url))
}
