import { createResilientProducer } from 'kafkajs-resilient-producer'
import { DELIVERY_TIMEOUT_MS, type OpenDriver } from './driver.js'
import { driverOf, kafkaOf } from './kafkajs.js'

/** As a user makes it: every option at its default. */
export const open: OpenDriver = async options =>
  driverOf(createResilientProducer(kafkaOf(options), { deliveryTimeoutMs: DELIVERY_TIMEOUT_MS }))
