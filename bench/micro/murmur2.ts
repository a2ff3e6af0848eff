import { bench } from 'mitata'
import { murmur2 } from '../../src/delivery/partitioning/murmur2.js'

export const benchMurmur2 = (): void => {
  const key = Buffer.from('customer-1234567')
  bench('murmur2 of a 16-byte key', () => murmur2(key))
}
