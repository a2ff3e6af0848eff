import { OPTION_SCHEMA } from '../../src/producer/options/optionSchema.js'

/** The README's table of options, as the schema has it. */
export const optionTable = (): string =>
  [
    '| option | default | meaning |',
    '|---|---|---|',
    ...OPTION_SCHEMA.map(({ name, shown, meaning }) => `| \`${name}\` | ${shown} | ${meaning} |`),
  ].join('\n')
