import type { Command } from 'commander'
import { addConnectionFlags } from '../../connection/flags.js'

const FILE = `
FILE is JSON ("-": standard input):
  {
    "defaults": { "partitions": 3, "replicationFactor": 3, "config": { "min.insync.replicas": 2 } },
    "topics": [
      { "name": "orders", "partitions": 12 },
      { "name": "audit", "config": { "cleanup.policy": "compact", "retention.ms": null } }
    ]
  }
All but the names may be left out. -1 partitions or replicas: the broker's default; null: a setting's default.
Topics and settings that the file does not name are left alone, and nothing is ever deleted.`

const EXIT_STATUS = {
  plan: `
Exit status:
  0  the cluster is as declared
  1  the cluster would refuse a change, or could not be asked
  2  the command line, the configuration or FILE is wrong
  3  the cluster differs`,
  apply: `
Exit status:
  0  the cluster is as declared
  1  a change failed, or the cluster could not be asked; the others were made
  2  the command line, the configuration or FILE is wrong; nothing was begun
  3  all was made but what this command does not do: fewer partitions, another replication factor`,
} as const

export function addTopicsFlags(command: Command): Command {
  command.argument('<file>', 'the topics as they are to be')
  addConnectionFlags(command)
  return command
    .optionsGroup('Output:')
    .option('-q, --quiet', 'print complaints only')
    .option('-v, --verbose', 'print the client’s log, and stacks')
    .optionsGroup('')
    .addHelpText('after', FILE)
    .addHelpText('after', EXIT_STATUS[command.name() as keyof typeof EXIT_STATUS])
}
