/** Bits of a code, whatever the dimensions of the embedding. */
export const CODE_BITS = 384;

const planesByDimensions = new Map<number, Float32Array>();

/**
 * The sign code of a vector: on which side of 384 random planes it lies (Charikar 2002, doi.org/10.1145/509907.509965).
 * Two vectors at an angle of a differ in 384 a / pi bits on average. The planes are the same in every process and for
 * ever; signs of the dimensions themselves would fail for embeddings most of whose dimensions are zero.
 *
 * @returns 384 characters, 0 or 1, as PostgreSQL reads a `bit(384)`
 */
export function signCode(vector: Float32Array): string {
  const dimensions = vector.length;
  const planes = planesOf(dimensions);
  let code = '';
  for (let bit = 0; bit < CODE_BITS; bit++) {
    const start = bit * dimensions;
    let product = 0;
    for (let at = 0; at < dimensions; at++) product += (vector[at] ?? 0) * (planes[start + at] ?? 0);
    code += product >= 0 ? '1' : '0';
  }
  return code;
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
  let planes = planesByDimensions.get(dimensions);
  if (!planes) {
    planes = makePlanes(dimensions);
    planesByDimensions.set(dimensions, planes);
  }
  return planes;
}

/** Normal numbers by Box and Muller from a generator with a fixed seed (mulberry32). */
function makePlanes(dimensions: number): Float32Array {
  let state = 0x5eed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return Float32Array.from(
    { length: CODE_BITS * dimensions },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
