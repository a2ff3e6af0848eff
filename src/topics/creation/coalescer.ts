interface Item<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers what is asked in one turn of the event loop, and while a run is under way, into one run; runs do not overlap.
 * A run returns one result per item, in their order; when it throws, all of its items do.
 */
export class Coalescer<T, R> {
  readonly #run: (items: readonly T[]) => Promise<readonly R[]>
  #items: Item<T, R>[] = []
  #busy = false

  constructor(run: (items: readonly T[]) => Promise<readonly R[]>) {
    this.#run = run
  }

  ask(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#items.push({ item, resolve, reject })
      if (!this.#busy) {
        this.#busy = true
        setImmediate(() => void this.#drain())
      }
    })
  }

  async #drain(): Promise<void> {
    while (this.#items.length > 0) {
      const items = this.#items.splice(0)
      try {
        const results = await this.#run(items.map(each => each.item))
        items.forEach((each, index) => {
          each.resolve(results[index]!)
        })
      } catch (error) {
        for (const each of items) each.reject(error)
      }
    }
    this.#busy = false
  }
}
