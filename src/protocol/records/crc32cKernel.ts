/** `crc32c.wat`, assembled. */
const MODULE = [
  'AGFzbQEAAAABCAFgA39/fwF/AwIBAAUDAQAEBxACBm1lbW9yeQIAA2NyYwAACq0CAaoCAgF/An4gACABQXBxaiEDAkADQCAA',
  'IANPDQEgACkDACACrYUhBCAAKQMIIQUgBEL/AYOnQQJ0KAKAeCAEQgaIQvwHg6coAoBwcyAEQg6IQvwHg6coAoBoIARCFohC',
  '/AeDpygCgGBzcyAEQh6IQvwHg6coAoBYIARCJohC/AeDpygCgFBzIARCLohC/AeDpygCgEggBEI2iEL8B4OnKAKAQHNzcyAF',
  'Qv8Bg6dBAnQoAoA4IAVCBohC/AeDpygCgDBzIAVCDohC/AeDpygCgCggBUIWiEL8B4OnKAKAIHNzIAVCHohC/AeDpygCgBgg',
  'BUImiEL8B4OnKAKAEHMgBUIuiEL8B4OnKAKACCAFQjaIQvwHg6coAgBzc3NzIQIgAEEQaiEADAALCyACCw==',
].join('')

export const KERNEL_TABLE_BYTES = 16384
/** How many bytes fit behind the tables. */
export const KERNEL_INPUT_BYTES = 4 * 65536 - KERNEL_TABLE_BYTES

export interface Crc32cKernel {
  readonly memory: Uint8Array
  /** Both checksums are inverted; `length` is a multiple of 16. */
  crc(start: number, length: number, checksum: number): number
}

/** The part that is used of what Node offers; its types stand in TypeScript's DOM library, which Node code must not see. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
  ) => { readonly exports: { memory: { buffer: ArrayBuffer }; crc: Crc32cKernel['crc'] } }
}

/** The bytes of the module. */
export const kernelModule = (): Buffer => Buffer.from(MODULE, 'base64')

/** Three times as fast as JavaScript; undefined where WebAssembly is switched off. */
export const loadKernel = (tables: Uint8Array): Crc32cKernel | undefined => {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernelModule()))
    const memory = new Uint8Array(exports.memory.buffer)
    memory.set(tables)
    return { memory, crc: exports.crc }
  } catch {
    return undefined
  }
}
