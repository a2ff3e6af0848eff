/** What a cluster found wrong when it closed. `errors` has each finding. */
export class EmbeddedKafkaError extends AggregateError {
  override readonly name = 'EmbeddedKafkaError'

  constructor(findings: Error[]) {
    super(findings, `the embedded cluster closed with ${findings.map(each => each.message).join('; ')}`)
  }
}
