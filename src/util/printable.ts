/** Longer text than any message of a broker; what is longer is cut. characters */
const MAX_TEXT = 2000
/** A topic's name has at most 249 characters. */
const MAX_QUOTED = 300

/** Controls, line ends of Unicode, marks that turn the direction of text round, and half characters. */
export const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const escaped = (character: string): string =>
  [...character]
    .map(each => {
      const code = each.codePointAt(0)!.toString(16)
      return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`
    })
    .join('')

const cut = (text: string, limit: number): string =>
  text.length > limit ? `${text.slice(0, limit)}... (${text.length} characters)` : text

/** Text from outside, for logs and terminals: control characters are escaped, and what is too long is cut. */
export const printable = (text: string): string => cut(text, MAX_TEXT).replace(UNPRINTABLE, escaped)

/** A name from outside in double quotes, as {@link printable}. */
export const quoted = (name: string): string =>
  JSON.stringify(cut(name, MAX_QUOTED)).replace(UNPRINTABLE, escaped)
