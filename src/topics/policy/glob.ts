/**
 * A matcher for a topic name pattern in which `*` stands for any characters, also none. It takes linear time: the text
 * between two stars is looked for once, from left to right. A regular expression for the same pattern tries every way to
 * share the name among its stars, which takes seconds for five stars and a legal name of 249 characters.
 *
 * @example globMatcher('orders.*.dlq')('orders.eu.dlq') // true
 */
export const globMatcher = (pattern: string): ((name: string) => boolean) => {
  const [prefix = '', ...rest] = pattern.split('*')
  const suffix = rest.pop()
  if (suffix === undefined) return name => name === pattern
  const pieces = rest.filter(piece => piece !== '')
  return name => {
    if (!name.startsWith(prefix)) return false
    const end = name.length - suffix.length
    let from = prefix.length
    // The earliest place for each piece leaves the most room for those behind it.
    for (const piece of pieces) {
      const at = name.indexOf(piece, from)
      if (at < 0) return false
      from = at + piece.length
    }
    return from <= end && name.endsWith(suffix)
  }
}
