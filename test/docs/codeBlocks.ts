import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)

export interface CodeBlock {
  /** The page and its number there: `docs/recipes/jest.md #1`. */
  readonly name: string
  readonly code: string
  /** Whether it runs as it stands, with a broker at localhost:9092. */
  readonly runs: boolean
}

const pages = (): string[] => [
  'README.md',
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.md'))
    .map(path => `docs/${path.replaceAll('\\', '/')}`),
]

/** The TypeScript of the README and of every page of the documentation. A block that needs what no test has is marked `ts compile-only`. */
export const codeBlocks = (): CodeBlock[] =>
  pages().flatMap(page => {
    const text = readFileSync(new URL(page, root), 'utf8')
    return [...text.matchAll(/^```ts( compile-only)?\n([\s\S]*?)^```$/gm)].map(([, mark, code], index) => ({
      name: `${page} #${index + 1}`,
      code: code!,
      runs: mark === undefined,
    }))
  })

/** What a block may take for granted from the ones before it. */
const GIVEN: Readonly<Record<string, string>> = {
  kafka: "const kafka = new ResilientKafka({ brokers: ['localhost:9092'] })",
  ResilientKafka: "import { ResilientKafka } from 'kafkajs-resilient-producer'",
  createResilientProducer: "import { createResilientProducer } from 'kafkajs-resilient-producer'",
}

const makes = (code: string, name: string): boolean =>
  new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\}|\\b(?:const|let|class) ${name}\\b`).test(code)

export const programOf = ({ code }: CodeBlock): string => {
  let program = code
  for (const [name, line] of Object.entries(GIVEN)) {
    if (new RegExp(`\\b${name}\\b`).test(program) && !makes(program, name)) program = `${line}\n${program}`
  }
  return `${program}\nexport {}\n`
}
