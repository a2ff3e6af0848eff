/**
 * Makes an error that stands for what a broker said. Its stack would show nothing but the event loop, and capturing it
 * takes longer than everything else that a refused batch or a missing topic costs.
 */
export const withoutStack = <E extends Error>(make: () => E): E => {
  const { stackTraceLimit } = Error
  // `Reflect.set`, since the limit may be frozen.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
