import { ERROR } from 'kafkajs-resilient-producer/testing'

const { NONE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH } = ERROR
const MAX = 2147483647

/** [sequence, records, epoch] of a batch, and what is answered: an error code, and the base offset of a success. */
export type Step = [batch: [number, number, number], errorCode: number, baseOffset?: number]

/** What a leader's checks of producers' sequences say, step by step; tried on the embedded cluster and on a real Kafka. */
export const sequenceCases: [string, Step[]][] = [
  [
    'goes on from the last sequence',
    [
      [[0, 3, 0], NONE, 0],
      [[3, 1, 0], NONE, 3],
    ],
  ],
  [
    'takes any first sequence without state, then refuses an earlier one',
    [
      [[10, 1, 0], NONE, 0],
      [[0, 1, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
      [[11, 1, 0], NONE, 1],
    ],
  ],
  [
    'refuses a gap and takes what closes it',
    [
      [[0, 1, 0], NONE, 0],
      [[2, 1, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
      [[1, 1, 0], NONE, 1],
      [[2, 1, 0], NONE, 2],
    ],
  ],
  [
    'remembers five batches: an older one is out of order',
    [
      [[0, 1, 0], NONE, 0],
      [[1, 1, 0], NONE, 1],
      [[2, 1, 0], NONE, 2],
      [[3, 1, 0], NONE, 3],
      [[4, 1, 0], NONE, 4],
      [[5, 1, 0], NONE, 5],
      [[6, 1, 0], NONE, 6],
      [[2, 1, 0], NONE, 2],
      [[1, 1, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
    ],
  ],
  [
    'takes a batch of the same start and another length for no duplicate',
    [
      [[0, 3, 0], NONE, 0],
      [[0, 2, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
    ],
  ],
  [
    'wraps from 2147483647 to 0',
    [
      [[MAX - 1, 2, 0], NONE, 0],
      [[0, 1, 0], NONE, 2],
      [[1, 1, 0], NONE, 3],
    ],
  ],
  [
    'wraps within a batch',
    [
      [[MAX, 3, 0], NONE, 0],
      [[2, 1, 0], NONE, 3],
      [[MAX, 3, 0], NONE, 0],
    ],
  ],
  [
    'wants a new epoch to start at 0, and forgets the batches of the old one',
    [
      [[0, 1, 0], NONE, 0],
      [[1, 1, 1], OUT_OF_ORDER_SEQUENCE_NUMBER],
      [[0, 1, 1], NONE, 1],
      [[0, 1, 1], NONE, 1],
      [[0, 1, 0], INVALID_PRODUCER_EPOCH],
      [[1, 1, 0], INVALID_PRODUCER_EPOCH],
    ],
  ],
  [
    'takes any first epoch without state',
    [
      [[4, 1, 9], NONE, 0],
      [[5, 1, 9], NONE, 1],
    ],
  ],
]
