/** What `main.ts` needs to run the command: in the build it lies in the one copy of the package that importers have. */
export { endProcess } from './process/endProcess.js'
export { processIo } from './process/io.js'
export { run } from './program.js'
