import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pipe } from './pipe.js'

let from: PassThrough
let to: PassThrough
let pipe: Pipe

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  from = new PassThrough()
  to = new PassThrough()
  pipe = new Pipe(from as unknown as Socket, to as unknown as Socket)
})
afterEach(() => {
  pipe.close()
  vi.useRealTimers()
})

const arrived = (): string => String(to.read() ?? '')

test('bytes that are delayed come later and in order, also when the delay ends', () => {
  pipe.delay(300)
  from.emit('data', Buffer.from('1'))
  vi.advanceTimersByTime(100)
  pipe.delay(0)
  from.emit('data', Buffer.from('2'))
  expect(arrived()).toBe('')
  vi.advanceTimersByTime(199)
  expect(arrived()).toBe('')
  vi.advanceTimersByTime(1)
  expect(arrived()).toBe('12')
  from.emit('data', Buffer.from('3'))
  expect(arrived()).toBe('3')
})
