/** The process of an embedded cluster, led over the channel to its parent: one answer per command. */
import { EmbeddedKafka, errorCode, hang } from 'kafkajs-resilient-producer/testing'

const NOT_ENOUGH_REPLICAS = 19

/** What can be wrong with one topic, or with the broker that leads it. */
export type Trouble =
  | { readonly kind: 'not enough replicas'; readonly topic: string }
  | { readonly kind: 'no leader'; readonly topic: string }
  /** The broker reads and answers nothing. */
  | { readonly kind: 'mute broker'; readonly node: number }
  | { readonly kind: 'produce unanswered' }
  /** Nothing is done: the topic does not exist, and is not created. */
  | { readonly kind: 'missing'; readonly topic: string }

export type EmbeddedCommand =
  | { readonly do: 'start'; readonly brokers: number; readonly autoCreate?: boolean }
  | { readonly do: 'topic'; readonly name: string; readonly partitions: number; readonly leader: number }
  | { readonly do: 'trouble'; readonly trouble: Trouble }
  | { readonly do: 'heal' }

export interface FromEmbedded {
  readonly bootstrap?: readonly string[]
  readonly error?: string
}

let cluster: EmbeddedKafka | undefined
const undo: (() => void)[] = []

const begin = (kafka: EmbeddedKafka, trouble: Trouble): void => {
  switch (trouble.kind) {
    case 'not enough replicas':
      undo.push(
        kafka.on('Produce', errorCode(NOT_ENOUGH_REPLICAS), { topic: trouble.topic, times: Infinity }),
      )
      return
    case 'no leader':
      kafka.moveLeader(trouble.topic, 0, -1)
      undo.push(() => kafka.moveLeader(trouble.topic, 0, 0))
      return
    case 'mute broker':
      kafka.pauseBroker(trouble.node)
      undo.push(() => kafka.resumeBroker(trouble.node))
      return
    case 'produce unanswered':
      undo.push(kafka.on('Produce', hang, { times: Infinity }))
      return
    case 'missing':
      return
  }
}

const obey = async (command: EmbeddedCommand): Promise<FromEmbedded> => {
  if (command.do === 'start') {
    // A long run must not keep every request.
    const autoCreate = command.autoCreate === true ? {} : false
    cluster = await EmbeddedKafka.start({ brokers: command.brokers, autoCreate, journalLimit: 10 })
    return { bootstrap: cluster.bootstrap }
  }
  if (cluster === undefined) throw new Error(`'${command.do}' before the start`)
  if (command.do === 'topic') {
    cluster.createTopic(command.name, { partitions: command.partitions })
    for (let i = 0; i < command.partitions; i++) cluster.moveLeader(command.name, i, command.leader)
  } else if (command.do === 'trouble') begin(cluster, command.trouble)
  else for (const act of undo.splice(0)) act()
  return {}
}

process.on('message', (command: EmbeddedCommand) => {
  obey(command).then(
    answer => process.send!(answer),
    error => process.send!({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
