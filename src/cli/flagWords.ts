import { OPTION_SCHEMA } from '../producer/options/optionSchema.js'

/** Options of the producer that have a flag of their own. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ['deliveryTimeoutMs', '--delivery-timeout-ms'],
  ['lingerMs', '--linger-ms'],
])

/** Nobody says these but for the option: words such as `retry` and `topics` stand in sentences too. */
const NAMES = [...OPTION_SCHEMA.map(each => each.name), 'waitForMs'].filter(name =>
  /[a-z][A-Z]|\./.test(name),
)

const CREATION = /(?:topics: )?(?:\{ ?)?create: '(broker|admin|never)'(?: ?\})?/g
const IDEMPOTENT = /`idempotent(?:: (?:true|false))?`|\bidempotent: (?:true|false)/g
const OPTION = new RegExp(
  `\`?(?<![\\w.-])(${NAMES.sort((a, b) => b.length - a.length)
    .map(name => name.replaceAll('.', '\\.'))
    .join('|')})(?![\\w-])\`?`,
  'g',
)

/**
 * The text of an error or a warning of the producer in the words of the command line: an option is named by its flag, or as an entry
 * of the configuration file where it has none.
 *
 * @example inFlags("Use topics: { create: 'admin' }") // Use --topic-creation admin
 */
export const inFlags = (text: string): string =>
  text
    .replace(CREATION, (_, by: string) => `--topic-creation ${by}`)
    .replace(OPTION, (_, name: string) => FLAGS.get(name) ?? `"${name}" under "producer" in --config`)
    .replace(
      IDEMPOTENT,
      value =>
        `"idempotent"${value.replaceAll('`', '').slice('idempotent'.length)} under "producer" in --config`,
    )
