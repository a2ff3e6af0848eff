'use strict'
const { traced } = require('kafkajs-resilient-producer/opentelemetry')
module.exports = require('./body.cjs').serve(require('kafkajs-resilient-producer').ResilientKafka, traced)
