/** A vector as it is stored: 32-bit floats, little-endian. */
export function bytesOf(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  vector.forEach((value, at) => bytes.writeFloatLE(value, at * 4));
  return bytes;
}

/** The reverse of {@link bytesOf}. */
export function vectorOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

/** The cosine of a vector and one as it is stored, -1 to 1. Reads the bytes in place: a query compares thousands. */
export function cosineToBytes(vector: Float32Array, bytes: Buffer): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let product = 0;
  let squares = 0;
  let ownSquares = 0;
  for (let at = 0; at < vector.length; at++) {
    const own = vector[at] ?? 0;
    const other = view.getFloat32(at * 4, true);
    product += own * other;
    squares += other * other;
    ownSquares += own * own;
  }
  const scale = Math.sqrt(squares * ownSquares);
  return scale === 0 ? 0 : Math.max(-1, Math.min(1, product / scale));
}
