import { Kafka } from 'kafkajs'
import body from './body.cjs'

await body.serve(Kafka)
