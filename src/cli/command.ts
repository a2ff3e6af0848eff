/** What `main.ts` needs to run the command: in the build it lies in the one copy of the package that importers have. */
export { endProcess } from './endProcess.js'
export { processIo } from './io.js'
export { run } from './program.js'
