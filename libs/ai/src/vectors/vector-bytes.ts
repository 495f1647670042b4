/** A vector as it is stored: 32-bit floats, little-endian, whatever the machine. */
export function bytesOf(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  vector.forEach((value, at) => bytes.writeFloatLE(value, at * 4));
  return bytes;
}

/** The vector of stored bytes. */
export function vectorOf(bytes: Buffer): Float32Array {
  const vector = new Float32Array(bytes.length / 4);
  for (let at = 0; at < vector.length; at++) vector[at] = bytes.readFloatLE(at * 4);
  return vector;
}

/**
 * The cosine of a vector and one as it is stored, -1 to 1; 0 where one of them is zero, which that of a text without words is.
 * Reads the bytes in place: a query compares thousands.
 */
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
