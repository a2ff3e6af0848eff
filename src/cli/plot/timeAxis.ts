import { formatDuration } from '../terminal/format.js'
import { escaped } from './page.js'

export interface TimeAxis {
  /** Of the left end and of the whole axis, in units of the drawing. */
  readonly left: number
  readonly width: number
  readonly top: number
  readonly bottom: number
}

/** Lines across the drawing, each with its time below. @param ticks ms @param longMs of the whole axis */
export const timeAxis = (
  { left, width, top, bottom }: TimeAxis,
  ticks: readonly number[],
  longMs: number,
): string =>
  ticks
    .map(ms => {
      const x = (left + (ms / Math.max(1, longMs)) * width).toFixed(1)
      return `<line class="tick" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/><text class="axis" x="${x}" y="${bottom + 18}" text-anchor="middle">${escaped(formatDuration(ms))}</text>`
    })
    .join('\n')
