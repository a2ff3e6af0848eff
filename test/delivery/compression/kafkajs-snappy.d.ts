/** kafkajs's codec package for snappy, on snappyjs: not the implementation that is tested. It has no types. */
declare module 'kafkajs-snappy' {
  interface KafkajsCodec {
    compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
    decompress(frame: Buffer): Promise<Buffer>
  }
  export default function kafkajsSnappy(): KafkajsCodec
}
