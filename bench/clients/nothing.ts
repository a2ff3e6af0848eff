import type { OpenClient } from './client.js'

/** Takes every record at once and sends none: what remains is the harness and the machine. */
export const open: OpenClient = async (_options, sink) => ({
  connect: async () => undefined,
  submit: () => queueMicrotask(() => sink.onDelivered(1)),
  submitArray: (_topic, records) => queueMicrotask(() => sink.onDelivered(records.length)),
  send: async () => undefined,
  close: async () => undefined,
})
