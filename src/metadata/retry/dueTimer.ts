/** Waits for many moments with one timer. Moments are rounded up to a beat, so that what is due together is told together. */
export class DueTimer<T> {
  readonly #beatMs: number
  readonly #onDue: (items: readonly T[]) => void
  /** By the beat at which they are due. */
  readonly #beats = new Map<number, Set<T>>()
  readonly #beatOf = new Map<T, number>()
  #timer: NodeJS.Timeout | undefined
  #armedFor = Number.POSITIVE_INFINITY

  constructor(beatMs: number, onDue: (items: readonly T[]) => void) {
    this.#beatMs = beatMs
    this.#onDue = onDue
  }

  /** @param delayMs from now */
  add(item: T, delayMs: number): void {
    this.remove(item)
    const beat = Math.ceil((performance.now() + delayMs) / this.#beatMs)
    const items = this.#beats.get(beat)
    if (items) items.add(item)
    else this.#beats.set(beat, new Set([item]))
    this.#beatOf.set(item, beat)
    if (beat < this.#armedFor) this.#arm(beat)
  }

  remove(item: T): void {
    const beat = this.#beatOf.get(item)
    if (beat === undefined) return
    this.#beatOf.delete(item)
    const items = this.#beats.get(beat)!
    items.delete(item)
    if (items.size > 0) return
    this.#beats.delete(beat)
    if (this.#beats.size === 0) this.#disarm()
  }

  #arm(beat: number): void {
    clearTimeout(this.#timer)
    this.#armedFor = beat
    this.#timer = setTimeout(
      () => this.#fire(),
      Math.max(1, Math.ceil(beat * this.#beatMs - performance.now())),
    )
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY
    const now = performance.now()
    const due: T[] = []
    for (const [beat, items] of this.#beats) {
      if (beat * this.#beatMs > now) continue
      this.#beats.delete(beat)
      for (const item of items) {
        this.#beatOf.delete(item)
        due.push(item)
      }
    }
    if (this.#beats.size > 0) this.#arm(Math.min(...this.#beats.keys()))
    if (due.length > 0) this.#onDue(due)
  }
}
