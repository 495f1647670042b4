/** What a scan looks for. `codes` are 12 words each, in the order of the chunks' ids. */
export interface CodeScan {
  readonly codes: Uint32Array;
  readonly probe: Uint32Array;
  /** One byte a chunk: 0 where it does not pass. */
  readonly mask?: Uint8Array | undefined;
  readonly maxDistance: number;
  /** Only what comes after this one, by distance and place. */
  readonly after?: { readonly distance: number; readonly place: number } | undefined;
  readonly limit: number;
}

/** Places and their distances, nearest first, equal ones by place. */
export interface ScannedCodes {
  readonly places: Uint32Array;
  readonly distances: Uint16Array;
}

/** The nearest codes, in one pass, and a second one that puts them in order: a distance has 385 values, so nothing is sorted. */
export function scanCodes(scan: CodeScan): ScannedCodes {
  const { after, limit, maxDistance } = scan;
  const distances = distancesOf(scan);
  const isWanted = (place: number, distance: number) =>
    distance <= maxDistance &&
    (!after || distance > after.distance || (distance === after.distance && place > after.place));
  const starts = new Uint32Array(maxDistance + 2);
  distances.forEach((distance, place) => {
    if (isWanted(place, distance)) starts[distance + 1] = (starts[distance + 1] ?? 0) + 1;
  });
  for (let at = 1; at < starts.length; at++) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
  const count = Math.min(limit, starts.at(-1) ?? 0);
  const found = { places: new Uint32Array(count), distances: new Uint16Array(count) };
  distances.forEach((distance, place) => {
    if (!isWanted(place, distance)) return;
    const at = starts[distance] ?? 0;
    starts[distance] = at + 1;
    if (at >= count) return;
    found.places[at] = place;
    found.distances[at] = distance;
  });
  return found;
}

/** Farther than any code: does not pass. */
const NOWHERE = 0xffff;

function distancesOf({ codes, probe, mask }: CodeScan): Uint16Array {
  const words = probe.length;
  const distances = new Uint16Array(codes.length / words);
  for (let place = 0; place < distances.length; place++) {
    if (mask && !mask[place]) {
      distances[place] = NOWHERE;
      continue;
    }
    let sum = 0;
    for (let word = 0; word < words; word++) {
      sum += bitCount((codes[place * words + word] ?? 0) ^ (probe[word] ?? 0));
    }
    distances[place] = sum;
  }
  return distances;
}

/** Bits that are set in 32, by pairs, fours and bytes. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
