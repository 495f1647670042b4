import type { RetrievalQueryInput } from '@peregrine/retrieval';

import type { Chunks } from './chunks.ts';
import { pick } from './draw.ts';
import type { Graph } from './graph.ts';
import { DAYS, documentsOf, TYPES, type WorldShape } from './shape.ts';
import { near, vectorAt } from './vectors.ts';

export type Mode = NonNullable<RetrievalQueryInput['mode']>;

/** Which chunks pass; a part that is undefined lets all pass. Days from the first on, without the last. */
export interface Filter {
  readonly type?: number;
  readonly documents?: readonly number[];
  readonly fromDay?: number;
  readonly beforeDay?: number;
}

export interface Question {
  readonly mode: Mode;
  readonly vector: Float32Array;
  readonly filter: Filter;
  readonly seeds: readonly number[];
}

const MODES: readonly (readonly [Mode, number])[] = [
  ['plain', 0.4],
  ['boost', 0.3],
  ['within', 0.3],
];
/** Of so many questions, one filter: the others ask with one of these again. */
const QUESTIONS_OF_A_FILTER = 2.6;
/** Near a chunk that need not pass the filter. */
const SHARE_OF_MISMATCHES = 0.4;
const SHARE_OF_HUBS = 0.3;
const TRIES = 200;

/** Skewed: from filters that one chunk of fifty thousand passes to none at all. */
export function makeQuestions(
  shape: WorldShape,
  chunks: Chunks,
  graph: Graph,
  random: () => number,
): Question[] {
  const filters = Array.from({ length: Math.ceil(shape.questions / QUESTIONS_OF_A_FILTER) }, () =>
    drawFilter(shape, random),
  );
  return Array.from({ length: shape.questions }, () => {
    const filter = filters[Math.floor(filters.length * random() ** 1.5)] ?? {};
    const centre = drawCentre(chunks, filter, random);
    const mode = drawMode(random);
    return {
      ...{ mode, filter },
      vector: near(vectorAt(chunks, centre), 0.3 + 0.5 * random(), random),
      seeds: mode === 'plain' ? [] : drawSeeds(chunks, graph, centre, random),
    };
  });
}

export function passes({ type, day, document }: Chunks, filter: Filter, place: number): boolean {
  const at = day[place] ?? 0;
  return (
    (filter.type === undefined || type[place] === filter.type) &&
    (!filter.documents || filter.documents.includes(document[place] ?? 0)) &&
    (filter.fromDay === undefined || at >= filter.fromDay) &&
    (filter.beforeDay === undefined || at < filter.beforeDay)
  );
}

function drawMode(random: () => number): Mode {
  let point = random();
  return MODES.find(([, share]) => (point -= share) < 0)?.[0] ?? 'plain';
}

function drawFilter(shape: WorldShape, random: () => number): Filter {
  const kind = random();
  const type = { type: Math.floor(TYPES.length * random()) };
  const documents = {
    documents: Array.from({ length: 1 + Math.floor(3 * random() ** 2) }, () =>
      Math.floor(documentsOf(shape) * random() ** 2),
    ),
  };
  const fromDay = Math.floor(DAYS * random());
  const days = { fromDay, beforeDay: fromDay + 1 + Math.floor(120 * random()) };
  if (kind < 0.12) return {};
  if (kind < 0.25) return type;
  if (kind < 0.35) return { fromDay };
  if (kind < 0.6) return documents;
  if (kind < 0.8) return { ...documents, ...type };
  return kind < 0.9 ? { ...type, ...days } : { ...documents, ...days };
}

function drawCentre(chunks: Chunks, filter: Filter, random: () => number): number {
  const draw = () => Math.floor(chunks.type.length * random());
  if (random() < SHARE_OF_MISMATCHES) return draw();
  // A filter that nearly nothing passes is left to chance.
  for (let n = 0; n < TRIES; n++) {
    const place = draw();
    if (passes(chunks, filter, place)) return place;
  }
  return draw();
}

function drawSeeds({ cluster }: Chunks, graph: Graph, centre: number, random: () => number): number[] {
  const first = random() < SHARE_OF_HUBS ? graph.popular.draw(random) : centre;
  const neighbours = graph.targets.subarray(graph.starts[first], graph.starts[first + 1]);
  const isPair = random() < 0.3 && neighbours.length > 0 && cluster.length > 1;
  return isPair ? [first, pick(neighbours, random)] : [first];
}
