/** The longest delay of `setTimeout`, which holds 31 bits: Node.js turns a longer one into 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1
