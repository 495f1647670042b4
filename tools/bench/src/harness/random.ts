const ZIPF_EXPONENT = 0.99;

/**
 * Requests as caches see them: few keys are asked for often (exponent 0.99, as in YCSB). The popular keys are spread
 * over the whole range, so that no table keeps them together by accident.
 *
 * @returns `length` numbers below `keyCount`
 */
export function zipfOrder(keyCount: number, length: number, random: () => number): Uint32Array {
  const cumulative = new Float64Array(keyCount);
  let sum = 0;
  for (let rank = 0; rank < keyCount; rank++) {
    sum += 1 / (rank + 1) ** ZIPF_EXPONENT;
    cumulative[rank] = sum;
  }
  const keyOfRank = shuffled(keyCount, random);
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = keyOfRank[rankAt(cumulative, random() * sum)] ?? 0;
  return order;
}

/** The first rank whose cumulative weight exceeds the point. */
function rankAt(cumulative: Float64Array, point: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] ?? 0) > point) high = middle;
    else low = middle + 1;
  }
  return low;
}

function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
  }
  return order;
}

/** Numbers from 0 to 1, always the same ones: mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
