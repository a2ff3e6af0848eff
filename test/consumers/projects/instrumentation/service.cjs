'use strict'
module.exports = require('./body.cjs').serve(require('kafkajs-resilient-producer').ResilientKafka)
