import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { completes, run, versionOf } from '../support/install.mjs'

/** The compiler's options in the templates of `nest new`. */
const TEMPLATES = {
  10: {
    module: 'commonjs',
    declaration: true,
    removeComments: true,
    emitDecoratorMetadata: true,
    experimentalDecorators: true,
    allowSyntheticDefaultImports: true,
    target: 'ES2021',
    sourceMap: true,
    skipLibCheck: true,
    strictNullChecks: false,
    noImplicitAny: false,
  },
  11: {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    resolvePackageJsonExports: true,
    esModuleInterop: true,
    isolatedModules: true,
    declaration: true,
    removeComments: true,
    emitDecoratorMetadata: true,
    experimentalDecorators: true,
    allowSyntheticDefaultImports: true,
    target: 'ES2023',
    sourceMap: true,
    skipLibCheck: true,
    strictNullChecks: true,
  },
}

export const nestSuite = (major, { template, typescript, type = 'commonjs' }) => ({
  name: `nest ${major}`,
  projects: ['nest'],
  dependencies: {
    '@nestjs/common': `^${major}.0.0`,
    '@nestjs/core': `^${major}.0.0`,
    '@types/node': versionOf('@types/node'),
    'reflect-metadata': '^0.2.0',
    rxjs: '^7.8.0',
    typescript,
  },
  checks: {
    [`Nest ${major}, compiled as its template does, one changed import`]: async folder => {
      const project = join(folder, 'nest')
      const compilerOptions = { ...TEMPLATES[template], outDir: 'dist', types: ['node'] }
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
      await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type }))
      await run(process.execPath, [
        join(folder, 'node_modules', 'typescript', 'lib', 'tsc.js'),
        '-p',
        project,
      ])
      const printed = await completes(project, [join('dist', 'main.js')])
      if (printed !== 'received o-1') throw new Error(`printed '${printed}'`)
    },
  },
})

export default nestSuite(10, { template: 10, typescript: '~5.4.0' })
