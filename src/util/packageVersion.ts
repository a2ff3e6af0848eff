/** The name and version that brokers and metrics are told. */
export const PACKAGE_NAME = 'kafkajs-resilient-producer'
/** Constants, since a bundle has no package.json to read: test/util holds both to it. */
export const PACKAGE_VERSION = '0.1.0'
