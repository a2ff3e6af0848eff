/** Builds the program of this folder to `DIR/main.js`. */
export function buildDemo(dir: string): Promise<void>
