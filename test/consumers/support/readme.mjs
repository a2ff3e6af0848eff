// The examples of a README as programs. An example may take for granted what the ones before it made: `kafka`, and the function of the package.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** What stands before an example that uses a name without making it. */
const GIVEN = {
  Kafka: "import { Kafka } from 'kafkajs'",
  createResilientProducer: "import { createResilientProducer } from 'kafkajs-resilient-producer'",
  kafka: "const kafka = new Kafka({ brokers: ['localhost:9092'] })",
}

const makes = (code, name) =>
  new RegExp(`(import \\{[^}]*\\b${name}\\b[^}]*\\}|\\b(const|let) ${name}\\b)`).test(code)
const uses = (code, name) => new RegExp(`\\b${name}\\b`).test(code)

function programOf(example) {
  let program = example
  for (const name of ['kafka', 'createResilientProducer', 'Kafka']) {
    if (uses(program, name) && !makes(program, name)) program = `${GIVEN[name]}\n${program}`
  }
  // An example shows how a cluster is started, and a program must end.
  return makes(example, 'cluster') && !example.includes('cluster.close(')
    ? `${program}\nawait cluster.close()\n`
    : program
}

/** Writes each TypeScript example to a file of `folder`, with `broker` in the place of localhost:9092. Gives the paths of the programs compiled. */
export async function writeExamples(markdownFile, folder, broker) {
  const markdown = await readFile(markdownFile, 'utf8')
  const examples = [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
  if (examples.length < 2) throw new Error(`found ${examples.length} examples in ${basename(markdownFile)}`)
  await mkdir(folder, { recursive: true })
  for (const [index, example] of examples.entries()) {
    const program = programOf(example).replaceAll('localhost:9092', broker)
    await writeFile(join(folder, `example-${index}.mts`), program)
  }
  return examples.map((_, index) => join(folder, 'out', `example-${index}.mjs`))
}
