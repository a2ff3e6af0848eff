import { ResilientKafka } from 'kafkajs-resilient-producer'
import body from './body.cjs'

await body.serve(ResilientKafka)
