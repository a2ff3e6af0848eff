import { type Command, Option } from 'commander'
import { duration, positive } from '../../numbers.js'
import { addScrapeFlags, type ScrapeFlags } from '../../scrapes/flags.js'

export interface TopFlags extends ScrapeFlags {
  readonly interval: number
  readonly count?: number
  readonly verbose?: boolean
}

const DEFAULT_INTERVAL_MS = 2_000

const KEYS = `
Keys:
  q, Ctrl-C  end

Without a terminal, one snapshot is printed per interval.

Exit status:
  0    ended by q, Ctrl-C or a signal, or after --count snapshots
  1    no service could be read in any of the --count snapshots
  2    the command line is wrong`

const EXAMPLES = `
Examples:
  npx resilient-producer top --url http://localhost:3000/metrics
  npx resilient-producer top --url http://a:3000/metrics --url http://b:3000/metrics --header @token.txt
  npx resilient-producer top --url unix:/run/shop/metrics.sock --count 1
`

export function addTopFlags(command: Command): Command {
  return addScrapeFlags(command)
    .optionsGroup('Output:')
    .addOption(
      new Option('--interval <duration>', 'time between two scrapes')
        .argParser(duration)
        .default(DEFAULT_INTERVAL_MS, '2s'),
    )
    .option('-n, --count <snapshots>', 'end after so many', positive)
    .option('-v, --verbose', 'print stacks of failures')
    .optionsGroup('')
    .addHelpText('after', KEYS)
    .addHelpText('after', EXAMPLES)
}
