import { run } from 'mitata'
import { benchAppend } from './append.js'
import { benchChecksum } from './checksum.js'
import { benchEncode } from './encode.js'
import { benchMurmur2 } from './murmur2.js'

/** The parts of the hot path by themselves, so that a regression has an address; kafkajs's own beside them. */
export const runMicro = async (): Promise<void> => {
  benchAppend()
  benchEncode()
  benchChecksum()
  benchMurmur2()
  await run({ colors: process.stdout.isTTY === true })
}
