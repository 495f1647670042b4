import { FLOOR } from '../world/shape.ts';
import { mean } from '../policies/judge.ts';
import type { Row } from './matrix.ts';

/** Answers of about the same certainty. */
export interface CertaintyBand {
  readonly name: string;
  readonly answers: number;
  readonly meanRecall: number;
  /** Share of the answers below the floor. */
  readonly under: number;
}

const EDGES = [-2, 0, 1, 2, 3, 4] as const;

/** How good answers were by the z that they said of themselves, of all plans together. */
export function certaintyBands(rows: readonly Row[]): CertaintyBand[] {
  const runs = rows.flatMap((row) => Object.values(row.runs).flat());
  const bands = [
    { name: `below ${EDGES[0]}`, low: -Infinity, high: EDGES[0] },
    ...EDGES.slice(1).map((high, at) => ({
      name: `${EDGES[at]} to ${high}`,
      low: EDGES[at] ?? 0,
      high,
    })),
    { name: `${EDGES[EDGES.length - 1]} and more`, low: EDGES[EDGES.length - 1] ?? 0, high: Infinity },
  ];
  const inBand = bands.map(({ name, low, high }) =>
    bandOf(
      name,
      runs.filter((it) => it.status !== 'complete' && it.z >= low && it.z < high),
    ),
  );
  return [
    ...inBand,
    bandOf(
      'complete',
      runs.filter((it) => it.status === 'complete'),
    ),
  ];
}

function bandOf(name: string, runs: readonly { recall: number }[]): CertaintyBand {
  const recalls = runs.map((it) => it.recall);
  return {
    ...{ name, answers: runs.length, meanRecall: mean(recalls) },
    under: recalls.filter((it) => it < FLOOR).length / recalls.length,
  };
}
