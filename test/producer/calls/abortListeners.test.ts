import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { onAbort } from '../../../src/producer/calls/abortListeners.js'

describe('callbacks of one signal', () => {
  it('share one listener, and leave none behind', () => {
    const { signal } = new AbortController()
    const ends = Array.from({ length: 100 }, () => onAbort(signal, () => {}))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    for (const end of ends) end()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    onAbort(signal, () => {})
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  })

  it('are each called once, in their order, but those that have ended', () => {
    const controller = new AbortController()
    const called: string[] = []
    onAbort(controller.signal, () => called.push('a'))
    const end = onAbort(controller.signal, () => called.push('b'))
    onAbort(controller.signal, () => called.push('c'))
    end()
    end()
    controller.abort()
    controller.abort()
    expect(called).toEqual(['a', 'c'])
  })

  it('may end one another while they are called', () => {
    const controller = new AbortController()
    const called: string[] = []
    let endSecond = (): void => {}
    onAbort(controller.signal, () => {
      called.push('first')
      endSecond()
    })
    endSecond = onAbort(controller.signal, () => called.push('second'))
    controller.abort()
    expect(called).toEqual(['first'])
  })

  it('of different signals are apart', () => {
    const [one, other] = [new AbortController(), new AbortController()]
    const called: string[] = []
    onAbort(one.signal, () => called.push('one'))
    onAbort(other.signal, () => called.push('other'))
    other.abort()
    expect(called).toEqual(['other'])
  })
})
