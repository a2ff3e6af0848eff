import { machine } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { type EmbeddedProcess, startEmbedded } from './harness/embedded.js'
import type { Trouble } from './harness/embeddedChild.js'
import { figure, figureWithRange } from './harness/format.js'
import { interleave } from './harness/interleave.js'
import type { Question } from './harness/question.js'
import { pairedRatios, spread } from './harness/stats.js'
import type { IsolationResult, IsolationWork } from './work/isolation.js'

const MIB = 2 ** 20
const BUFFERS = [1, 8, 64]
const KINDS: readonly Trouble['kind'][] = ['not enough replicas', 'no leader', 'mute broker', 'missing']
const SICK_BYTES_PER_SECOND = 20e6
const HEALTHY_PER_SECOND = 100
const VALUE_BYTES = 10_000
const SICK_NODE = 0
const HEALTHY_NODE = 1

interface Row {
  readonly id: string
  readonly label: string
  readonly tuning: string
  readonly kind: Trouble['kind']
  readonly contender: contenders.Contender
}

const buffered = (contender: contenders.Contender, mib: number): contenders.Contender => ({
  ...contender,
  settings: contenders.isOurs(contender)
    ? { bufferBytes: mib * MIB }
    : contender.client === 'confluent'
      ? { 'queue.buffering.max.kbytes': mib * 1024 }
      : {},
})

const rowsOf = (chosen: readonly contenders.Contender[]): Row[] =>
  KINDS.flatMap(kind =>
    BUFFERS.flatMap(mib =>
      chosen.map(contender => ({
        id: `${kind} ${mib} ${contender.id}`,
        label: contender.label,
        tuning: `${mib} MiB`,
        kind,
        contender: buffered(contender, mib),
      })),
    ),
  )

const troubleOf = (kind: Trouble['kind'], topic: string): Trouble =>
  kind === 'mute broker'
    ? { kind, node: SICK_NODE }
    : kind === 'produce unanswered'
      ? { kind }
      : { kind, topic }

const play = async (
  cluster: EmbeddedProcess,
  { kind, contender }: Row,
  name: string,
  seconds: number,
): Promise<IsolationResult> => {
  const [healthy, sick] = [`${name}-healthy`, `${name}-sick`]
  await cluster.createTopic(healthy, { partitions: 1, leader: HEALTHY_NODE })
  if (kind !== 'missing') await cluster.createTopic(sick, { partitions: 1, leader: SICK_NODE })
  const work: IsolationWork = {
    kind: 'isolation',
    healthy,
    sick,
    sickExists: kind !== 'missing',
    healthyPerSecond: HEALTHY_PER_SECOND,
    sickBytesPerSecond: SICK_BYTES_PER_SECOND,
    valueBytes: VALUE_BYTES,
    seconds,
  }
  return contenders.contend(contender, cluster.bootstrap.join(','), work, {
    answer: asked => (asked === 'pause' ? cluster.trouble(troubleOf(kind, sick)) : cluster.heal()),
  })
}

export const question: Question = {
  name: 'isolation',
  asks: 'Sends to a healthy topic while another one, offered 20 MB/s, takes nothing',
  minutes: 15,
  run: async options => {
    const { chosen, skipped } = contenders.select(
      [contenders.OURS, contenders.OURS_BEFORE, contenders.CONFLUENT],
      options.only,
    )
    const rows = rowsOf(chosen)
    const { samples, failures } = await interleave(rows, options.rounds, async (row, round) => {
      // What one run leaves in a log is memory of the cluster's process.
      const cluster = await startEmbedded({ brokers: 2 })
      try {
        const sample = await play(cluster, row, `round-${round}`, options.seconds)
        options.log(
          `round ${round}/${options.rounds}  ${row.id}: p99 ${figure(sample.besideP99Ms)} ms, ${sample.failed} failed`,
        )
        return sample
      } finally {
        await cluster.stop()
      }
    })
    const figures = (id: string, pick: (sample: IsolationResult) => number) =>
      (samples.get(id) ?? []).map(sample => (sample === undefined ? undefined : pick(sample)))
    const column = (id: string, pick: (sample: IsolationResult) => number): string =>
      figureWithRange(spread(figures(id, pick).filter(value => value !== undefined)))
    const ours = rows.filter(({ contender }) => contender.id === contenders.OURS.id)
    return {
      question: question.name,
      conditions: [
        machine(),
        'the embedded cluster in a process of its own: two brokers, the healthy topic on one, the sick one on the other',
        `${HEALTHY_PER_SECOND} sends/s of 1,000 bytes to the healthy topic; records of ${VALUE_BYTES} bytes to the sick one, none awaited`,
      ],
      tables: [
        {
          title: question.asks,
          columns: [
            'trouble',
            'buffer',
            'client',
            'alone p99 ms',
            'beside p50 ms',
            'p99 ms',
            'most ms',
            'failed',
            'first error',
          ],
          rows: rows.map(({ id, kind, tuning, label }) => [
            kind,
            tuning,
            label,
            column(id, sample => sample.aloneP99Ms),
            column(id, sample => sample.besideP50Ms),
            column(id, sample => sample.besideP99Ms),
            column(id, sample => sample.besideMaxMs),
            column(id, sample => sample.failed),
            samples
              .get(id)
              ?.find(sample => sample?.error !== undefined)
              ?.error?.slice(0, 60) ?? '',
          ]),
        },
      ],
      claims: ours.flatMap(({ id, kind, tuning }) => [
        {
          what: `${kind}, ${tuning}: healthy sends that failed`,
          measured: spread(figures(id, sample => sample.failed).filter(value => value !== undefined)),
          unit: '',
          better: 'lower',
          bar: 0,
          goal: 0,
        } as const,
        {
          what: `${kind}, ${tuning}: p99 beside to alone`,
          measured: spread(
            pairedRatios(
              figures(id, sample => sample.besideP99Ms),
              figures(id, sample => sample.aloneP99Ms),
            ),
          ),
          unit: 'x',
          better: 'lower',
          bar: 2,
          goal: 1.2,
        } as const,
      ]),
      skipped: [...skipped, ...failures],
      plots: KINDS.map(kind => ({
        title: `Healthy sends beside a topic with trouble (${kind}), p99`,
        unit: 'ms',
        better: 'lower',
        bars: rows
          .filter(row => row.kind === kind)
          .map(({ id, label, tuning, contender }) => ({
            label: `${label}, ${tuning}`,
            measured: spread(figures(id, sample => sample.besideP99Ms).filter(value => value !== undefined)),
            ours: contenders.isOurs(contender),
          })),
      })),
    }
  },
}
