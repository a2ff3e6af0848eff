import { describe, expect, it } from 'vitest'
import { differenceLines } from '../../../../src/cli/commands/topics/report.js'
import { styleFor } from '../../../../src/cli/terminal/style.js'

const plain = styleFor({}, { NO_COLOR: '1' })
const HOSTILE = 'retention\u001b[2J\u202e\n+ forged'

describe('the lines of a plan escape what the file and the cluster hold', () => {
  it.each([
    [
      'settings of a new topic',
      {
        kind: 'create',
        topic: { name: 't', partitions: 1, replicationFactor: 1, config: { [HOSTILE]: HOSTILE } },
      },
    ],
    [
      'settings that change',
      { kind: 'config', name: 't', changes: [{ setting: HOSTILE, from: HOSTILE, to: HOSTILE }] },
    ],
  ] as const)('%s', (_, difference) => {
    const lines = differenceLines(difference, plain)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('retention\\u001b[2J\\u202e')
    expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})
