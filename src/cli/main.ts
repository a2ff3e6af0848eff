#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { endProcess, processIo, run } from './command.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

// Everything printed has been written by then, and a connection attempt that was given up may still linger.
await endProcess(await run(process.argv.slice(2), version, processIo))
