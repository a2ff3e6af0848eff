import { bench, summary } from 'mitata'
import { crc32c } from '../../src/protocol/records/crc32c.js'
import { kafkajsChecksum } from './kafkajs.js'

export const benchChecksum = (): void => {
  for (const kib of [1, 16, 1024]) {
    const buffer = Buffer.alloc(kib * 1024, 7)
    if (crc32c(buffer) !== kafkajsChecksum(buffer)) throw new Error('the two checksums differ')
    summary(() => {
      bench(`CRC-32C of ${kib} KiB`, () => crc32c(buffer)).baseline()
      bench(`kafkajs: CRC-32C of ${kib} KiB`, () => kafkajsChecksum(buffer))
    })
  }
}
