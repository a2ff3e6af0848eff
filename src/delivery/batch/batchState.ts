export type BatchState =
  /** Takes records. */
  | 'open'
  /** Takes no more, and has not been in a request. */
  | 'closed'
  | 'inFlight'
  /** Was in a request, and is to be sent again. */
  | 'waiting'
  /** Acknowledged or rejected. */
  | 'ended'
