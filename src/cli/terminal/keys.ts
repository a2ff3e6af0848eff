import type { Input } from '../process/io.js'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

/**
 * Calls `quit` when q, Ctrl-C or Ctrl-D is pressed. Does nothing where the input is no terminal.
 *
 * @returns what gives the input back
 */
export function onQuitKey(input: Input, quit: () => void): () => void {
  if (input.isTTY !== true || input.setRawMode === undefined) return () => {}
  const onData = (data: Buffer | string) => {
    if ([...String(data)].some(key => key === 'q' || key === 'Q' || key === CTRL_C || key === CTRL_D)) quit()
  }
  input.setRawMode(true)
  input.on('data', onData)
  return () => {
    input.off('data', onData)
    input.setRawMode?.(false)
    input.pause()
  }
}
