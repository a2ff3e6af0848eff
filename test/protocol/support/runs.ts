/**
 * The suite's short run is the same every time. A long one, with other cases:
 * `FUZZ_RUNS=20000 FUZZ_SEED=7 npx vitest run --testTimeout=0 test/protocol`.
 */
export const seed = Number(process.env.FUZZ_SEED ?? 20_261_121)
export const runs = (usual: number): number => Number(process.env.FUZZ_RUNS ?? usual)
