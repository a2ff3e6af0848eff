#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
// The sources are TypeScript, which Node 20 does not run: Vite, which runs the tests, loads them.
import { createServer } from 'vite'

const vite = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
try {
  const { main } = await vite.ssrLoadModule(fileURLToPath(new URL('./table/cli.ts', import.meta.url)))
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
