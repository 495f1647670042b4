/** What a scan looks for. `codes` are 12 words each; a chunk's place is an index of them. */
export interface CodeScan {
  readonly codes: Uint32Array;
  readonly probe: Uint32Array;
  /** Only these places, in rising order; all when undefined. */
  readonly places?: Uint32Array | undefined;
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
  const { places, after, limit, maxDistance } = scan;
  const distances = distancesOf(scan);
  const starts = new Uint32Array(maxDistance + 2);
  const isWanted = (at: number, distance: number) =>
    distance <= maxDistance &&
    (!after ||
      distance > after.distance ||
      (distance === after.distance && placeAt(places, at) > after.place));
  for (let at = 0; at < distances.length; at++) {
    const distance = distances[at] ?? 0;
    if (isWanted(at, distance)) starts[distance + 1] = (starts[distance + 1] ?? 0) + 1;
  }
  for (let at = 1; at < starts.length; at++) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
  const count = Math.min(limit, starts.at(-1) ?? 0);
  const found = { places: new Uint32Array(count), distances: new Uint16Array(count) };
  // What begins after the limit is not put in order at all.
  const farthest = starts.findIndex((start, distance) => distance > 0 && start >= count) - 1;
  for (let at = 0; at < distances.length; at++) {
    const distance = distances[at] ?? 0;
    if (distance > farthest || !isWanted(at, distance)) continue;
    const place = starts[distance] ?? 0;
    starts[distance] = place + 1;
    if (place >= count) continue;
    found.places[place] = placeAt(places, at);
    found.distances[place] = distance;
  }
  return found;
}

function placeAt(places: Uint32Array | undefined, at: number): number {
  return places ? (places[at] ?? 0) : at;
}

function distancesOf({ codes, probe, places }: CodeScan): Uint16Array {
  const words = probe.length;
  const distances = new Uint16Array(places ? places.length : codes.length / words);
  for (let at = 0; at < distances.length; at++) {
    const start = placeAt(places, at) * words;
    let sum = 0;
    for (let word = 0; word < words; word++) sum += bitCount((codes[start + word] ?? 0) ^ (probe[word] ?? 0));
    distances[at] = sum;
  }
  return distances;
}

/** Bits that are set in 32, by pairs, fours and bytes. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
