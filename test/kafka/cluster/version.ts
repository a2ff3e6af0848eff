/** The release that tests and benchmarks run on where none is asked for; `image/jars.sh` and `image/build.sh` name it too. */
export const defaultKafkaVersion = '4.4.0'

const parts = (version: string): number[] => version.split('.').map(Number)

/** Whether a version of Kafka, such as 3.9.1, is older than another, such as 3.10. */
export const isOlder = (version: string, other: string): boolean => {
  const [own, theirs] = [parts(version), parts(other)]
  for (const [at, number] of theirs.entries()) {
    const difference = (own[at] ?? 0) - number
    if (difference !== 0) return difference < 0
  }
  return false
}
