import { plural, printable } from '../../terminal/format.js'
import type { Style } from '../../terminal/style.js'
import type { DeclaredTopic } from './declaration.js'
import type { Difference } from './difference.js'

/** The difference as lines: `+` what is made, `~` what is changed, `!` what is left to a person. */
export function differenceLines(difference: Difference, { green, yellow, red }: Style): string[] {
  switch (difference.kind) {
    case 'create':
      return [green(`+ ${difference.topic.name}  ${describe(difference.topic)}`)]
    case 'partitions': {
      const { name, from, to } = difference
      return [
        yellow(`~ ${name}  partitions ${from} -> ${to}`),
        '    records with a key go to other partitions from then on',
      ]
    }
    case 'config':
      return difference.changes.map(({ setting, from, to }) =>
        yellow(`~ ${difference.name}  ${printable(setting)} ${shown(from)} -> ${shown(to)}`),
      )
    case 'unmendable':
      return [red(`! ${difference.name}  ${difference.what}`), `    ${difference.remedy}`]
  }
}

function describe({ partitions, replicationFactor, config }: DeclaredTopic): string {
  const settings = Object.entries(config).flatMap(([name, value]) =>
    value === null ? [] : [`${printable(name)}=${shown(value)}`],
  )
  return [
    partitions === -1 ? 'the broker’s partitions' : plural(partitions, 'partition'),
    replicationFactor === -1 ? 'the broker’s replicas' : plural(replicationFactor, 'replica'),
    ...settings,
  ].join(', ')
}

const shown = (value: string | null): string =>
  value === null ? 'the broker’s default' : printable(value, 200)

/** `3 topics declared: 1 to create, 1 to change, 1 as declared`. */
export function summary(declared: readonly DeclaredTopic[], found: readonly Difference[]): string {
  const named = (kinds: readonly Difference['kind'][]) =>
    new Set(
      found
        .filter(each => kinds.includes(each.kind))
        .map(each => (each.kind === 'create' ? each.topic.name : each.name)),
    )
  const created = named(['create']).size
  const changed = named(['partitions', 'config']).size
  const left = named(['unmendable']).size
  const same = declared.length - named(['create', 'partitions', 'config', 'unmendable']).size
  const parts = [
    ...(created > 0 ? [`${created} to create`] : []),
    ...(changed > 0 ? [`${changed} to change`] : []),
    ...(left > 0 ? [`${left} that cannot be changed here`] : []),
    `${same} as declared`,
  ]
  return `${plural(declared.length, 'topic')} declared: ${parts.join(', ')}`
}
