const NUMBER_BYTES = 4
const TAG_BYTES = 4
const HEAD_BYTES = NUMBER_BYTES + TAG_BYTES

/** What stands in a record's value: its number, and the tag of the run that offered it; the rest is filling. */
export const recordValue = (tag: number, number: number, valueBytes: number): Buffer => {
  const value = Buffer.alloc(Math.max(HEAD_BYTES, valueBytes), number & 0xff)
  value.writeUInt32BE(number, 0)
  value.writeUInt32BE(tag, NUMBER_BYTES)
  return value
}

/** The number in a value; undefined where it is not whole or not of this run. */
export const numberIn = (value: Buffer | null, tag: number): number | undefined => {
  if (value === null || value.length < HEAD_BYTES || value.readUInt32BE(NUMBER_BYTES) !== tag)
    return undefined
  const number = value.readUInt32BE(0)
  for (let at = HEAD_BYTES; at < value.length; at++) if (value[at] !== (number & 0xff)) return undefined
  return number
}
