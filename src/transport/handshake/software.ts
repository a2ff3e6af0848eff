/** What brokers show of their clients (KIP-511): letters, digits, dots and dashes. A test holds the version to package.json. */
export const SOFTWARE_NAME = 'kafkajs-resilient-producer'
export const SOFTWARE_VERSION = '0.1.0'
