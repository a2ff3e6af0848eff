import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fitToWidth, startProgress } from '../../../src/cli/terminal/progress.js'
import { testIo } from '../support/io.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('progress on a terminal', () => {
  it('redraws one line and leaves none behind', () => {
    const { stderr } = testIo({ tty: true })
    let done = 0
    const progress = startProgress(stderr, { NO_COLOR: '1' }, () => `${done} done`)
    done = 5
    vi.advanceTimersByTime(100)
    progress.stop()
    expect(stderr.text).toBe('\r\u001b[2K⠋ 0 done\r\u001b[2K⠙ 5 done\r\u001b[2K')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('puts notes above the line, and plainly once it has stopped', () => {
    const { stderr } = testIo({ tty: true })
    const progress = startProgress(stderr, { NO_COLOR: '1' }, () => 'busy')
    progress.note('line 3: bad')
    progress.stop()
    progress.stop()
    progress.note('end')
    expect(stderr.text).toBe('\r\u001b[2K⠋ busy\r\u001b[2Kline 3: bad\n\r\u001b[2K⠙ busy\r\u001b[2Kend\n')
  })

  it('never wraps: a wrapped line cannot be redrawn', () => {
    const { stderr } = testIo({ tty: true, columns: 20 })
    startProgress(stderr, { NO_COLOR: '1' }, () => 'x'.repeat(50)).stop()
    const line = stderr.text.split('\u001b[2K')[1]!
    expect(line.replace('\r', '').length).toBeLessThan(20)
    expect(line).toContain('…')
    expect(fitToWidth('short', 80)).toBe('short')
    expect(fitToWidth('short', undefined)).toBe('short')
  })
})

describe('progress elsewhere', () => {
  it('prints a plain line from time to time, not twice the same, and ends its timer', () => {
    const { stderr } = testIo()
    let done = 1
    const progress = startProgress(stderr, {}, () => `${done} done`)
    expect(stderr.text).toBe('')
    vi.advanceTimersByTime(6_000)
    done = 2
    vi.advanceTimersByTime(2_000)
    progress.note('a note')
    progress.stop()
    expect(stderr.text).toBe('1 done\n2 done\na note\n')
    expect(vi.getTimerCount()).toBe(0)
  })
})
