/** A producer id and the epoch under which one partition's batches are numbered. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}
