import { type Command, Option } from 'commander'
import { duration } from '../../numbers.js'
import { addScrapeFlags, type ScrapeFlags } from '../../scrapes/flags.js'

export interface ReportFlags extends ScrapeFlags {
  readonly out: string
  readonly for: number
  readonly interval?: number
  readonly quiet?: boolean
  readonly verbose?: boolean
}

const DEFAULT_FOR_MS = 60_000

const NOTES = `
The time of a file is that of its samples, where they carry one, else when it was last changed.

Exit status:
  0    the report was written
  1    there were not two scrapes that could be read, or a file is no exposition of metrics
  2    the command line is wrong
  130  ended by SIGINT (143: SIGTERM); what had been scraped by then is in the report`

const EXAMPLES = `
Examples:
  npx resilient-producer report --out report.html --url http://localhost:3000/metrics --for 60s --interval 5s
  npx resilient-producer report --out report.html before.txt after.txt
  npx resilient-producer report --out report.html --interval 15s scrapes/*.txt
`

export function addReportFlags(command: Command): Command {
  command
    .argument('[scrapes...]', 'files, each with what a service answered for its metrics')
    .optionsGroup('Report:')
    .requiredOption('-o, --out <file>', 'the HTML file to write')
    .addOption(
      new Option('--for <duration>', 'with --url: how long to scrape')
        .argParser(duration)
        .default(DEFAULT_FOR_MS, '60s'),
    )
    .option(
      '--interval <duration>',
      'with --url: time between two scrapes (default: 5s); with files: they were taken so far apart, in the order given',
      duration,
    )
  return addScrapeFlags(command)
    .optionsGroup('Output:')
    .option('-q, --quiet', 'print complaints only')
    .option('-v, --verbose', 'print stacks of failures')
    .optionsGroup('')
    .addHelpText('after', NOTES)
    .addHelpText('after', EXAMPLES)
}
