#!/usr/bin/env node
import { loadSource } from '../support/loadSource.mjs'

const { work } = await loadSource(new URL('./work.ts', import.meta.url))
await work(JSON.parse(process.argv[2]))
