/** Where the values that a closed or capped label does not show are counted. */
const OTHER = 'other'

/**
 * The values one label may take, so that no client, broker or caller can grow a registry without bound: the first
 * `max` distinct ones that `allows` lets in; the rest are `other`.
 */
export class LabelValues {
  private readonly admitted: Set<string>
  private readonly max: number
  private readonly allows: (value: string) => boolean

  /** `admitted` may be shared: producers on one registry have one cap. */
  constructor(max: number, allows: (value: string) => boolean = () => true, admitted = new Set<string>()) {
    this.max = max
    this.allows = allows
    this.admitted = admitted
  }

  of(value: string): string {
    if (this.admitted.has(value)) return value
    if (this.admitted.size >= this.max || !this.allows(value)) return OTHER
    this.admitted.add(value)
    return value
  }
}
