/** Bits of a sign code, whatever the dimensions of the embedding. */
export const CODE_BITS = 384;

/** 32-bit words of a code. */
export const CODE_WORDS = CODE_BITS / 32;

const planesByDimensions = new Map<number, Float32Array>();

/**
 * The sign code of a vector: on which side of 384 random planes it lies (Charikar 2002, doi.org/10.1145/509907.509965).
 * Planes of normal numbers have no preferred direction, so that it does not matter whether the embeddings do: two vectors
 * at an angle of a differ in each bit with probability a / pi. Signs of the dimensions themselves would fail for embeddings
 * most of whose dimensions are zero. Codes are stored: the planes must be the same in every process, for ever.
 */
export function signCode(vector: Float32Array): Uint32Array {
  const planes = planesOf(vector.length);
  const code = new Uint32Array(CODE_WORDS);
  for (let bit = 0; bit < CODE_BITS; bit++) {
    const start = bit * vector.length;
    let product = 0;
    for (let at = 0; at < vector.length; at++) product += (vector[at] ?? 0) * (planes[start + at] ?? 0);
    if (product >= 0) code[bit >>> 5] = (code[bit >>> 5] ?? 0) | (0x8000_0000 >>> (bit & 31));
  }
  return code;
}

/** As PostgreSQL writes and reads a `bit(384)`. */
export function bitsOf(code: Uint32Array): string {
  return Array.from(code, (word) => word.toString(2).padStart(32, '0')).join('');
}

/** The reverse of {@link bitsOf}, into `words` from `start` on. */
export function readBits(bits: string, words: Uint32Array, start: number): void {
  for (let at = 0; at < CODE_WORDS; at++) words[start + at] = parseInt(bits.slice(at * 32, at * 32 + 32), 2);
}

/** The expected Hamming distance of two codes whose vectors have this cosine. */
export function expectedDistance(cosine: number): number {
  return (CODE_BITS * Math.acos(Math.max(-1, Math.min(1, cosine)))) / Math.PI;
}

/** How far a Hamming distance strays from the expected one: the standard deviation of that many coin tosses. */
export function distanceDeviation(expected: number): number {
  return Math.sqrt(expected * (1 - expected / CODE_BITS));
}

function planesOf(dimensions: number): Float32Array {
  const known = planesByDimensions.get(dimensions);
  if (known) return known;
  const planes = makePlanes(dimensions);
  planesByDimensions.set(dimensions, planes);
  return planes;
}

/** Normal numbers by Box and Muller, from mulberry32 with a fixed seed. */
function makePlanes(dimensions: number): Float32Array {
  let state = 0x5eed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return Float32Array.from({ length: CODE_BITS * dimensions }, normal);
}
