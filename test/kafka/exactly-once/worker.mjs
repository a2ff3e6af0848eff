#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
// The sources are TypeScript, which Node 20 does not run: Vite, which runs the tests, loads them.
import { createServer } from 'vite'

const source = path => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url))
const vite = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  resolve: { alias: { 'kafkajs-resilient-producer': source('index.ts') } },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const { work } = await vite.ssrLoadModule(fileURLToPath(new URL('./work.ts', import.meta.url)))
await work(JSON.parse(process.argv[2]))
