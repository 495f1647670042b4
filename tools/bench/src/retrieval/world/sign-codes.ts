import { signCode } from '@peregrine/ai/vectors';

/** The code that the library keeps of a vector, as bytes: the first bit is the highest of the first byte. */
export function codeOf(vector: Float32Array): Uint8Array {
  const words = signCode(vector);
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, at) => bytes.writeUInt32BE(word, at * 4));
  return bytes;
}
