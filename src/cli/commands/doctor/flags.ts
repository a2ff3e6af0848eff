import type { Command } from 'commander'
import { addConnectionFlags } from '../../connection/flags.js'

const EXIT_STATUS = `
Exit status:
  0  nothing keeps a producer from its work; there may be warnings
  1  there is a problem
  2  the command line or the configuration is wrong`

export function addDoctorFlags(command: Command): Command {
  command
    .optionsGroup('Looks at:')
    .option('-t, --topic <name>', 'look at this topic too: what becomes of a send to it')
  addConnectionFlags(command)
  return command
    .optionsGroup('Output:')
    .option('-q, --quiet', 'print problems and warnings only')
    .option('-v, --verbose', 'print the client’s log, and stacks')
    .optionsGroup('')
    .addHelpText('after', EXIT_STATUS)
}
