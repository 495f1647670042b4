import type { Chunks } from './chunks.ts';
import { Lottery, pick } from './draw.ts';
import { sharedFloats, sharedWords } from './shared.ts';
import { MAX_NEIGHBOURS } from './shape.ts';

/** Links of chunks, from both sides: those of a place are from `starts[place]` to `starts[place + 1]`, the heaviest first. */
export interface Graph {
  readonly starts: Uint32Array;
  readonly targets: Uint32Array;
  readonly weights: Float32Array;
  /** Places by how many link to them, the most first. Not every one of them is a hub. */
  readonly popular: Lottery;
}

const LINKS_OF_A_CHUNK = 3;
/** As many stay in their cluster; the others go where most go. */
const SHARE_OF_NEAR_LINKS = 0.5;
const POPULARITY = 0.8;
/** Weights that 32 bits hold exactly. */
const WEIGHT_STEPS = 64;

interface Link {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/** @param ids equal weights are in their order, as the library has them */
export function makeGraph(chunks: Chunks, ids: readonly string[], random: () => number): Graph {
  const popular = Lottery.zipf(ids.length, POPULARITY);
  return { ...sortLinks(drawLinks(chunks, popular, random), ids), popular };
}

function drawLinks({ cluster }: Chunks, popular: Lottery, random: () => number): Link[] {
  const members: number[][] = [];
  cluster.forEach((it, place) => (members[it] ??= []).push(place));
  const known = new Set<number>();
  const links: Link[] = [];
  for (let from = 0; from < cluster.length; from++) {
    for (let n = 0; n < LINKS_OF_A_CHUNK; n++) {
      const isNear = random() < SHARE_OF_NEAR_LINKS;
      const to = isNear ? pick(members[cluster[from] ?? 0] ?? [], random) : popular.draw(random);
      const key = Math.min(from, to) * cluster.length + Math.max(from, to);
      if (from === to || known.has(key)) continue;
      known.add(key);
      links.push({ from, to, weight: Math.ceil(random() * WEIGHT_STEPS) / WEIGHT_STEPS });
    }
  }
  return links;
}

function sortLinks(links: readonly Link[], ids: readonly string[]): Omit<Graph, 'popular'> {
  const starts = sharedWords(ids.length + 1);
  const both = links.flatMap((it) => [it, { ...it, from: it.to, to: it.from }]);
  const idOf = (place: number) => ids[place] ?? '';
  both.sort((a, b) => a.from - b.from || b.weight - a.weight || (idOf(a.to) < idOf(b.to) ? -1 : 1));
  const targets = sharedWords(both.length);
  const weights = sharedFloats(both.length);
  both.forEach(({ from, to, weight }, at) => {
    starts[from + 1] = at + 1;
    targets[at] = to;
    weights[at] = weight;
  });
  // Places without a link end where the one before them does.
  for (let place = 1; place <= ids.length; place++) starts[place] ||= starts[place - 1] ?? 0;
  return { starts, targets, weights };
}

/** Those between the first chunks. */
export function firstLinks({ starts, targets, weights }: Graph, count: number): Graph {
  const end = starts[count] ?? 0;
  const own = { starts: sharedWords(count + 1), targets: sharedWords(end), weights: sharedFloats(end) };
  let length = 0;
  for (let source = 0; source < count; source++) {
    for (let at = starts[source] ?? 0; at < (starts[source + 1] ?? 0); at++) {
      const target = targets[at] ?? 0;
      if (target >= count) continue;
      own.targets[length] = target;
      own.weights[length++] = weights[at] ?? 0;
    }
    own.starts[source + 1] = length;
  }
  return { ...own, popular: Lottery.zipf(count, POPULARITY) };
}

/**
 * What two hops from the seeds reach, and how near: the best product of weights. As the library defines it, a hop follows of each chunk its
 * heaviest links, up to its share of all that a hop may follow.
 */
export function walk(graph: Omit<Graph, 'popular'>, seeds: readonly number[]): Map<number, number> {
  const reached = new Map(seeds.map((it) => [it, 1]));
  const added = hop(graph, reached, seeds);
  hop(graph, reached, added);
  return reached;
}

function hop(
  { starts, targets, weights }: Omit<Graph, 'popular'>,
  reached: Map<number, number>,
  from: readonly number[],
): number[] {
  const before = new Map(reached);
  const added = new Set<number>();
  const share = Math.max(1, Math.floor(MAX_NEIGHBOURS / from.length));
  for (const source of from) {
    const start = starts[source] ?? 0;
    const end = Math.min(starts[source + 1] ?? 0, start + share);
    for (let at = start; at < end; at++) {
      const target = targets[at] ?? 0;
      if (!before.has(target)) added.add(target);
      const proximity = (before.get(source) ?? 0) * (weights[at] ?? 0);
      reached.set(target, Math.max(reached.get(target) ?? 0, proximity));
    }
  }
  return [...added];
}
