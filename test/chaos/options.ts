import { parseArgs } from 'node:util'
import { DRIVER_NAMES, type DriverName } from './drivers/index.js'
import { DEFAULTS, newSeed, type RunOptions } from './run.js'
import { SCENARIOS } from './scenarios/index.js'
import type { Scenario } from './scenarios/scenario.js'

export const USAGE = `npm run chaos -- [scenario ...] [options]

Three real brokers (Java 17; Kafka's jars come by Maven once), one client under load, faults, and a check of every record.

Scenarios (default: all but the medley)
${SCENARIOS.map(({ name, about, leastSeconds }) => `  ${name.padEnd(17)} ${about} (from ${leastSeconds} s on)`).join('\n')}
  all               every one in turn

Options
  --client A,B      ${DRIVER_NAMES.join(', ')}, all (ours)
  --seconds N       how long the faults of a scenario go on (${DEFAULTS.seconds})
  --rate N          records offered a second, whatever the client makes of them (${DEFAULTS.ratePerSecond})
  --topics N        (${DEFAULTS.topics}) with --partitions N each (${DEFAULTS.partitions})
  --value-bytes N   (${DEFAULTS.valueBytes})
  --window N        sends without an outcome, beyond which records are held back (${DEFAULTS.window})
  --seed N          decides every random choice (a new one each time)
  --log FILE        appends the client's debug log (ours, kafkajs)

The report goes to the standard output as Markdown, the progress to the standard error. The exit status is 1 when something
does not hold for 'ours' or 'ours-transactional'.`

export interface ChaosOptions extends Omit<RunOptions, 'say'> {
  readonly scenarios: readonly Scenario[]
  readonly clients: readonly DriverName[]
}

/** @throws Error that says what is wrong with the arguments; undefined: show the usage */
export const parseOptions = (args: readonly string[]): ChaosOptions | undefined => {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      client: text,
      seconds: text,
      rate: text,
      topics: text,
      partitions: text,
      'value-bytes': text,
      window: text,
      seed: text,
      log: text,
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    scenarios:
      positionals.length === 0
        ? SCENARIOS.filter(({ name }) => name !== 'medley')
        : positionals.flatMap(named),
    clients: (values.client ?? 'ours').split(',').flatMap(clientsNamed),
    seconds: count(values.seconds, 'seconds') ?? DEFAULTS.seconds,
    ratePerSecond: count(values.rate, 'rate') ?? DEFAULTS.ratePerSecond,
    topics: count(values.topics, 'topics') ?? DEFAULTS.topics,
    topicPrefix: DEFAULTS.topicPrefix,
    partitions: count(values.partitions, 'partitions') ?? DEFAULTS.partitions,
    valueBytes: count(values['value-bytes'], 'value-bytes') ?? DEFAULTS.valueBytes,
    window: count(values.window, 'window') ?? DEFAULTS.window,
    seed: count(values.seed, 'seed') ?? newSeed(),
    ...(values.log !== undefined && { logFile: values.log }),
  }
}

const named = (name: string): readonly Scenario[] => {
  if (name === 'all') return SCENARIOS
  const scenario = SCENARIOS.find(each => each.name === name)
  if (scenario === undefined) throw new Error(`no scenario is named '${name}'; --help lists them`)
  return [scenario]
}

const clientsNamed = (name: string): readonly DriverName[] => {
  if (name === 'all') return DRIVER_NAMES
  const client = DRIVER_NAMES.find(each => each === name)
  if (client === undefined) throw new Error(`no client is named '${name}'; --help lists them`)
  return [client]
}

const count = (text: string | undefined, flag: string): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${flag} must be a whole number from 1 on`)
  return value
}
