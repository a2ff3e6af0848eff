import { createLogUpdate } from 'log-update'
import type { Output } from '../process/io.js'

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_VIEWPORT = '\u001b[H\u001b[2J'

/** Lines of a terminal that are drawn anew in their place. */
export interface Screen {
  /**
   * Draws the lines in the place of those that were drawn before.
   *
   * @param lines each shorter than the terminal is wide, and fewer than it is high
   */
  draw(lines: readonly string[]): void
  /** Gives the terminal back, with what was drawn last or without it. */
  close(last: 'keep' | 'clear'): void
}

/** @param output a terminal: see `isLive` */
export function openScreen(output: Output): Screen {
  // Its own way to hide the cursor would write to the standard error.
  const update = createLogUpdate(output, { showCursor: true })
  const showCursor = () => void output.write(SHOW_CURSOR)
  // The terminal lays out anew what stands there: where the lines are now is not known.
  const onResize = () => {
    output.write(CLEAR_VIEWPORT)
    update.done()
  }
  output.write(HIDE_CURSOR)
  // A second SIGINT or an error that nobody caught ends the process without close().
  process.once('exit', showCursor)
  output.on('resize', onResize)
  return {
    draw: lines => update(lines.join('\n')),
    close(last) {
      if (last === 'clear') update.clear()
      else update.done()
      process.off('exit', showCursor)
      output.off('resize', onResize)
      showCursor()
    },
  }
}
