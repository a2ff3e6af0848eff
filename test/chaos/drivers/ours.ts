import { createResilientProducer } from 'kafkajs-resilient-producer'
import { DELIVERY_TIMEOUT_MS, type OpenDriver } from './driver.js'
import { driverOf, kafkaOf, loginOf } from './kafkajs.js'

/** As a user makes it: every option at its default. */
export const open: OpenDriver = async options => {
  const login = loginOf(options)
  const producer = createResilientProducer(kafkaOf(options, login), {
    deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
  })
  return driverOf(producer, login)
}
