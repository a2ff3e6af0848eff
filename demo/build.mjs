// Builds the program of this folder to DIR/main.js, which imports the package as a user's program does.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const demo = fileURLToPath(new URL('.', import.meta.url))

/** @param {string} dir */
export async function buildDemo(dir) {
  const bundle = await rolldown({
    input: join(demo, 'main.ts'),
    platform: 'node',
    external: id => !id.startsWith('.') && !id.startsWith('/'),
  })
  await bundle.write({ dir, format: 'es', entryFileNames: 'main.js', sourcemap: true })
  await bundle.close()
}
