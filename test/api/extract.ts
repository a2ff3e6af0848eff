import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The entry points of the package, by the names of their reports in `api/`. */
export const ENTRIES = {
  index: 'index',
  opentelemetry: 'opentelemetry/index',
  testing: 'testing/index',
} as const
export type EntryName = keyof typeof ENTRIES

/** A declaration as API Extractor describes it (`*.api.json`), as far as it is used here. */
export interface ApiItem {
  readonly kind: string
  readonly name?: string
  readonly docComment?: string
  readonly excerptTokens?: readonly { readonly text: string }[]
  readonly isOptional?: boolean
  readonly isStatic?: boolean
  readonly members?: readonly ApiItem[]
}

export interface EntryApi {
  /** As `api/*.api.md` has it. */
  readonly report: string
  readonly items: readonly ApiItem[]
}

/** Where types that no entry point exports, though exported ones are made of them, are shown too. `testing` has every message of the protocol. */
const SHOWS_INSIDE: ReadonlySet<EntryName> = new Set(['index', 'opentelemetry'])

const SILENT = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false }

/**
 * What users of the package see, by entry point. API Extractor reads the declarations that the compiler writes with a TypeScript of its own,
 * since TypeScript 7 has no interface for tools.
 */
export const extractApi = (): Readonly<Record<EntryName, EntryApi>> => {
  // Inside the project, where the types of Node.js and of kafkajs are found.
  const folder = join(root, 'build', 'api')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', folder])
  try {
    const configs = {
      index: configOf('index', folder),
      opentelemetry: configOf('opentelemetry', folder),
      testing: configOf('testing', folder),
    }
    const { index, ...others } = configs
    // One program for all of them: most of the time goes into reading the types of Node.js.
    const compilerState = CompilerState.create(index, {
      additionalEntryPoints: Object.values(others).map(
        ({ mainEntryPointFilePath }) => mainEntryPointFilePath,
      ),
    })
    return {
      index: extract(index, compilerState),
      opentelemetry: extract(configs.opentelemetry, compilerState),
      testing: extract(configs.testing, compilerState),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const configOf = (name: EntryName, folder: string): ExtractorConfig => {
  const entry = join(folder, `${ENTRIES[name]}.d.ts`)
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            lib: ['ES2023', 'ESNext.Disposable'],
            module: 'NodeNext',
            moduleResolution: 'NodeNext',
            types: ['node'],
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true,
          },
          files: [entry],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: folder,
        reportTempFolder: join(folder, 'temporary'),
        includeForgottenExports: SHOWS_INSIDE.has(name),
      },
      docModel: {
        enabled: true,
        apiJsonFilePath: join(folder, `${name}.api.json`),
        includeForgottenExports: SHOWS_INSIDE.has(name),
      },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Docstrings are held by tests of our own.
        extractorMessageReporting: { default: SILENT },
        tsdocMessageReporting: { default: SILENT },
      },
    },
  })
}

const extract = (config: ExtractorConfig, compilerState: CompilerState): EntryApi => {
  Extractor.invoke(config, {
    localBuild: true,
    compilerState,
    messageCallback: message => {
      if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true
    },
  })
  return {
    report: readFileSync(config.reportFilePath, 'utf8'),
    items: itemsOf(JSON.parse(readFileSync(config.apiJsonFilePath, 'utf8')) as ApiItem),
  }
}

/** The entry point's own: a package has entry points, an entry point has declarations. */
const itemsOf = ({ members = [] }: ApiItem): readonly ApiItem[] =>
  members.flatMap(entry => entry.members ?? [])
