/** The operations on a topic that can be denied (AclOperation). */
export type TopicOperation = 'describe' | 'read' | 'write' | 'create' | 'delete' | 'alter'

const ALL: readonly TopicOperation[] = ['describe', 'read', 'write', 'create', 'delete', 'alter']

/** Denied operations by topic. What is not denied is allowed. */
export class AccessList {
  private readonly denials = new Map<string, Set<TopicOperation>>()

  /** @returns a function that takes the denial back */
  deny(topic: string, operations: readonly TopicOperation[] = ALL): () => void {
    const denied = this.denials.get(topic) ?? new Set()
    const added = operations.filter(operation => !denied.has(operation))
    for (const operation of added) denied.add(operation)
    this.denials.set(topic, denied)
    return () => {
      for (const operation of added) denied.delete(operation)
    }
  }

  isDenied(topic: string, operation: TopicOperation): boolean {
    return this.denials.get(topic)?.has(operation) ?? false
  }
}
