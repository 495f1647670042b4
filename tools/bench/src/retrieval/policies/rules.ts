import { RETRIEVAL_PLANS, type RetrievalPlanName } from '@peregrine/retrieval';

import { type Column, type Row } from '../measure/matrix.ts';
import { FLOOR } from '../world/shape.ts';
import { cellOf, DEFAULT_PLAN, mean, type Policy } from './judge.ts';

/**
 * What databases of vectors do: below a share of chunks that pass, all of them are compared; above it the index is asked first. They have no
 * graph: where one is needed they get the plan that suits it. Every answer goes on until it is certain, as all plans here do.
 */
export const cutOffRule =
  (threshold: number): Policy =>
  ({ mode, selectivity, runs }) => {
    if (mode === 'within') return 'graph-first';
    if (mode === 'boost') return 'hybrid-parallel';
    return selectivity < threshold && runs['exact-scan'] ? 'exact-scan' : 'vector-first';
  };

/**
 * Where they draw the line: Vespa's approximate-threshold of 2 %, Qdrant's full_scan_threshold of 10,000 KB (here 6,667 vectors), and
 * Weaviate's flatSearchCutoff of 40,000 objects, as shares of so many chunks.
 */
export function cutOffThresholds(chunks: number): Readonly<Record<string, number>> {
  return { '2 %': 0.02, '6,667 vectors': 6_667 / chunks, '40,000 vectors': 40_000 / chunks };
}

/** The fastest of the plans that keep the floor, known afterwards. */
export const oracle: Policy = (row) => {
  const good = plansOf(row).filter((it) => cellOf(row, it).recall >= FLOOR);
  return bestOf(good, (it) => cellOf(row, it).wallMs) ?? DEFAULT_PLAN;
};

/** One threshold on one measure, and a plan on each side of it. */
interface Split {
  readonly measure: 'selectivity' | 'twoHopSize';
  readonly threshold: number;
  readonly below: RetrievalPlanName;
  readonly above: RetrievalPlanName;
}

const THRESHOLDS = {
  selectivity: [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3],
  twoHopSize: [0, 50, 100, 200, 500, 1_000, 5_000],
} as const;

/** For each mode the best of all splits on these rows, which have more to choose from than the plans' own estimates: the true counts. */
export function tuneRule(rows: readonly Row[]): Policy {
  const splits = new Map(
    (['plain', 'boost', 'within'] as const).map((mode) => [
      mode,
      tuneSplit(rows.filter((it) => it.mode === mode)),
    ]),
  );
  return (row) => {
    const split = splits.get(row.mode);
    return split ? side(split, row) : DEFAULT_PLAN;
  };
}

function tuneSplit(rows: readonly Row[]): Split | undefined {
  const plans = RETRIEVAL_PLANS.filter((plan) => rows.every((row) => row.runs[plan]));
  const splits = plans.flatMap((below) =>
    plans.flatMap((above) =>
      (['selectivity', 'twoHopSize'] as const).flatMap((measure) =>
        THRESHOLDS[measure].map((threshold): Split => ({ measure, threshold, below, above })),
      ),
    ),
  );
  return bestOf(splits, (split) => mean(rows.map((row) => cellOf(row, side(split, row)).wallMs)));
}

const side = ({ measure, threshold, below, above }: Split, row: Row): RetrievalPlanName =>
  row[measure] <= threshold ? below : above;

const isPlan = (column: string): column is RetrievalPlanName =>
  (RETRIEVAL_PLANS as readonly string[]).includes(column);

/** Those that answered it. */
export const plansOf = (row: Row): RetrievalPlanName[] => (Object.keys(row.runs) as Column[]).filter(isPlan);

function bestOf<T>(items: readonly T[], cost: (item: T) => number): T | undefined {
  let best: { item: T; cost: number } | undefined;
  for (const item of items) {
    const own = cost(item);
    if (!best || own < best.cost) best = { item, cost: own };
  }
  return best?.item;
}
