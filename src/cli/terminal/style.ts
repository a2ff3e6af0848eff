type Paint = (text: string) => string

export interface Style {
  bold: Paint
  dim: Paint
  green: Paint
  red: Paint
  yellow: Paint
}

const sgr =
  (on: number, off: number): Paint =>
  text =>
    `\u001b[${on}m${text}\u001b[${off}m`
const plain: Paint = text => text

const colored: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  green: sgr(32, 39),
  red: sgr(31, 39),
  yellow: sgr(33, 39),
}
/** Without colours. */
export const PLAIN: Style = { bold: plain, dim: plain, green: plain, red: plain, yellow: plain }

export interface TerminalTraits {
  readonly isTTY?: boolean | undefined
}

/** Colours as the user's environment asks: NO_COLOR wins (no-color.org), then FORCE_COLOR, then a capable terminal. */
export function styleFor(output: TerminalTraits, env: NodeJS.ProcessEnv): Style {
  if (env.NO_COLOR) return PLAIN
  if (env.FORCE_COLOR) return env.FORCE_COLOR === '0' ? PLAIN : colored
  return isLive(output, env) ? colored : PLAIN
}

/** Whether a line can be redrawn in place. */
export const isLive = (output: TerminalTraits, env: NodeJS.ProcessEnv): boolean =>
  output.isTTY === true && env.TERM !== 'dumb'
