const SEED = 0x9747b28c
const M = 0x5bd1e995

/** Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2), as a signed 32-bit number. */
export const murmur2 = (data: Uint8Array, length = data.length): number => {
  const whole = length & ~3
  let h = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length & 3
  if (rest === 3) h ^= data[whole + 2]! << 16
  if (rest >= 2) h ^= data[whole + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ data[whole]!, M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

const scratch = new Uint8Array(256)

/** murmur2 of a text in UTF-8. Short ASCII, as most keys are, is hashed without a buffer of its own. */
export const murmur2OfText = (text: string): number => {
  const { length } = text
  if (length <= scratch.length) {
    let at = 0
    for (; at < length; at++) {
      const code = text.charCodeAt(at)
      if (code > 0x7f) break
      scratch[at] = code
    }
    if (at === length) return murmur2(scratch, length)
  }
  return murmur2(Buffer.from(text))
}
