/** How long a conclusion holds. Whether brokers create topics changes with a restart. ms */
const REMEMBERED_MS = 300_000
/** A conclusion without the setting itself may be wrong: it is drawn anew soon. ms */
const SUSPECTED_MS = 60_000

/**
 * What was seen of auto-creation where brokers do not tell their setting: whether topics that a metadata request named with
 * the creation flag came into being.
 */
export class AutoCreationEvidence {
  #createdUntil = Number.NEGATIVE_INFINITY
  #suspectedUntil = Number.NEGATIVE_INFINITY

  /** A topic that was missing is there. */
  noteCreated(): void {
    this.#createdUntil = performance.now() + REMEMBERED_MS
    this.#suspectedUntil = Number.NEGATIVE_INFINITY
  }

  /** A topic was not created, for all that was asked. */
  noteNotCreated(): void {
    if (!this.works) this.#suspectedUntil = performance.now() + SUSPECTED_MS
  }

  /** A topic was created not long ago. */
  get works(): boolean {
    return performance.now() < this.#createdUntil
  }

  /** A topic was not created, not long ago, and none was since. */
  get isSuspected(): boolean {
    return performance.now() < this.#suspectedUntil
  }
}
