import { formatDuration } from '../../../terminal/format.js'
import type { Facts } from '../facts.js'
import { topicNumber } from '../facts.js'
import { type Finding, fine, problem, unknown, warning } from '../finding.js'

/** From here on, retention and the order of timestamps suffer. ms */
const NOTABLE_MS = 5000

/** Whether this machine's clock, from which records have their timestamps, is that of the cluster. */
export function judgeClock(facts: Facts): Finding[] {
  const { clock } = facts
  if (typeof clock === 'string') return [unknown(`the cluster’s clock is not known: ${clock}`)]
  const { aheadMs, uncertaintyMs } = clock
  const least = Math.max(0, Math.abs(aheadMs) - uncertaintyMs)
  if (least < NOTABLE_MS) {
    return [fine(`this clock and the controller’s differ by less than ${formatDuration(NOTABLE_MS)}`)]
  }
  const says = `this clock is ${formatDuration(least)} ${aheadMs < 0 ? 'ahead of' : 'behind'} the controller’s`
  const tolerated = topicNumber(facts, 'message.timestamp.after.max.ms', 'log.message.timestamp.after.max.ms')
  if (aheadMs < 0 && tolerated !== undefined && least > tolerated) {
    return [
      problem(
        says,
        `set it: records from more than ${formatDuration(tolerated)} ahead are refused (message.timestamp.after.max.ms)`,
      ),
    ]
  }
  return [warning(says, 'set it, by NTP: records have their timestamps from it, and are kept by them')]
}
