#!/usr/bin/env node
import { loadSource } from '../support/loadSource.mjs'

const { serve } = await loadSource(new URL('./service.ts', import.meta.url))
await serve(JSON.parse(process.argv[2]))
