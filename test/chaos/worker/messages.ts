import type { LoadCommand, Snapshot } from '../load/load.js'
import type { WorkerJob, WorkerOutcome } from './worker.js'

export type ToChild =
  | { readonly do: 'start'; readonly job: WorkerJob }
  | { readonly do: 'snapshot' }
  | { readonly do: 'tell'; readonly command: LoadCommand }
  | { readonly do: 'finish'; readonly settleMs: number }

export type FromChild =
  | { readonly said: 'started' }
  | { readonly said: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly said: 'outcome'; readonly outcome: WorkerOutcome }
  | { readonly said: 'failed'; readonly error: string }
