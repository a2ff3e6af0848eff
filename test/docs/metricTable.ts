import { DEFINITIONS } from '../../src/metrics/definitions.js'

/** The README's table of metrics. */
export const metricTable = (): string =>
  [
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...Object.values(DEFINITIONS).map(({ name, type, labels, perTopic, help }) => {
      const all = [...labels, ...(perTopic ? ['(topic)'] : [])].join(', ')
      return `| \`${name}\` | ${type} | ${all} | ${help} |`
    }),
  ].join('\n')
