/** What a consumer of kafkajs may have created, and whether it has any topic at all. */
export class SubscribedTopics {
  private readonly creatable = new Set<string>()
  private hasAny = false

  /** No metadata request has named a topic: nothing was subscribed to, or patterns that match nothing. */
  get isEmpty(): boolean {
    return !this.hasAny
  }

  allowCreation(topic: string): void {
    this.creatable.add(topic)
  }

  /** A metadata request names these topics. */
  requested(names: readonly string[]): void {
    this.hasAny ||= names.length > 0
  }

  /**
   * Whether a metadata request with these names may carry the creation flag. It holds for the whole request, and a pattern's topics
   * are allowed nothing.
   */
  mayCreate(names: readonly string[]): boolean {
    return names.length > 0 && names.every(each => this.creatable.has(each))
  }
}
