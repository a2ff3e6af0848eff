import { question as aborts } from './aborts.js'
import { question as arrays } from './arrays.js'
import { question as awaited } from './awaited.js'
import { question as codecs } from './codecs.js'
import { question as eventLoop } from './event-loop.js'
import type { Question } from './harness/question.js'
import { question as idempotence } from './idempotence.js'
import { question as idleCpu } from './idle-cpu.js'
import { question as isolation } from './isolation.js'
import { question as keyed } from './keyed.js'
import { question as loneLatency } from './lone-latency.js'
import { question as manyTopics } from './many-topics.js'
import { question as native } from './native.js'
import { question as newTopics } from './new-topics.js'
import { question as oneSend } from './one-send.js'
import { question as paced } from './paced.js'
import { question as stalls } from './stalls.js'
import { question as stoppedBroker } from './stopped-broker.js'

export const QUESTIONS: readonly Question[] = [
  newTopics,
  oneSend,
  native,
  awaited,
  arrays,
  keyed,
  manyTopics,
  idempotence,
  codecs,
  loneLatency,
  paced,
  eventLoop,
  isolation,
  aborts,
  stalls,
  stoppedBroker,
  idleCpu,
]
