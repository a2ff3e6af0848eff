/**
 * The main job: every earthquake of a week to the topic of the seismic network that located it, on topics that do not
 * exist yet. `npm start` runs it on an embedded cluster, `npm start -- --brokers host:port` on a real one.
 */
import { processIo } from '../src/cli/io.js'
import { run } from './earthquakes/run.js'

// A connection attempt that was given up may still linger.
process.exit(await run(process.argv.slice(2), processIo))
