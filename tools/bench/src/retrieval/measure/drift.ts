import type { Embedder, RetrievalExplanation, RetrievalPlanName } from '@peregrine/retrieval';
import { Pool } from 'pg';

import type { Progress } from '../../harness/progress.ts';
import { median } from '../../harness/statistics.ts';
import { mean } from '../policies/judge.ts';
import { migrate, openRetrieval } from '../store/application.ts';
import { type BenchWorld, embedderOf } from '../store/bench-world.ts';
import { extendWorld, loadWorld, replaceVectors } from '../store/load-world.ts';
import { MAX_NEIGHBOURS, type WorldShape } from '../world/shape.ts';
import { firstChunks, makeWorld, reembed, type World } from '../world/world.ts';
import { type LiveAnswer, runLive } from './live.ts';
import { queryOf } from './run.ts';

/** What was answered since a change of the world. */
export interface PhaseResult {
  readonly name: string;
  readonly answers: readonly LiveAnswer[];
  /** Means of the last third, asked again. */
  readonly again: { readonly plannerMs: number; readonly oracleMs: number; readonly defaultMs: number };
}

/** The first tenth of the data is there at the beginning. */
const GROWTH = 10;
/** Half of the questions of a world are asked after each change: three hundred of six hundred. */
const SHARE = 0.5;
const AGAIN_SHARE = 1 / 3;
/** What filters are looked up by. */
const INDEXES = [
  'retrieval_codes_workspace_id_type_created_at_idx',
  'retrieval_codes_workspace_id_document_id_idx',
];

/** @param url of an empty database */
export async function runDrift(url: string, shape: WorldShape, progress: Progress): Promise<PhaseResult[]> {
  const whole = await progress.step('world of drift', () => makeWorld(shape));
  const few = await firstChunks(whole, Math.round(shape.chunks / GROWTH));
  const other = await progress.step('the same by another model', () => reembed(whole, shape.seed + 1_000));
  await migrate(url);
  const options = '-c session_replication_role=replica -c synchronous_commit=off';
  const pool = new Pool({ connectionString: url, max: 1, options });
  // A process does not end because its model is another one.
  const embedder: { -readonly [Key in keyof Embedder]: Embedder[Key] } = embedderOf('bench');
  const loaded = await loadWorld(pool, few, embedder.id);
  const app = await openRetrieval(url, embedder, { maxNeighbours: MAX_NEIGHBOURS });
  const library: BenchWorld = { url, world: few, loaded, pool, app };
  const phase = (name: string, world: World, change: () => Promise<unknown>) =>
    progress.step(name, async () => {
      await change();
      return runPhase(name, { ...library, world, loaded: { ...loaded, places: placesOf(world) } });
    });
  try {
    return [
      await phase('the beginning', few, () => Promise.resolve()),
      await phase('ten times the data', whole, () => extendWorld(pool, whole, loaded, few.ids.length)),
      await phase('indexes dropped', whole, () => pool.query(`DROP INDEX ${INDEXES.join(', ')}`)),
      await phase('another model', other, () => {
        embedder.id = 'bench, another model';
        return replaceVectors(pool, other, { ...loaded, embedder: embedder.id });
      }),
    ];
  } finally {
    await app.close();
    await pool.end();
  }
}

async function runPhase(name: string, library: BenchWorld): Promise<PhaseResult> {
  const indexes = [...library.world.questions.keys()];
  const asked = indexes.slice(0, Math.round(indexes.length * SHARE));
  const { answers } = await runLive(library, asked);
  const again = [];
  for (const index of asked.slice(-Math.round(asked.length * AGAIN_SHARE)))
    again.push(await askAgain(library, index));
  return {
    ...{ name, answers },
    again: {
      plannerMs: mean(again.map((it) => it.plannerMs)),
      oracleMs: mean(again.map((it) => it.oracleMs)),
      defaultMs: mean(again.map((it) => it.defaultMs)),
    },
  };
}

/** By the planner and by every plan that it may use: in turn, and in the other order again, so that none profits from who was before it. */
async function askAgain(library: BenchWorld, index: number): Promise<PhaseResult['again']> {
  const { chooser, plan } = await explain(library, index);
  const allowed = chooser?.allowed ?? [plan];
  const ways: (RetrievalPlanName | undefined)[] = [undefined, ...allowed];
  const times = new Map(ways.map((it): [RetrievalPlanName | undefined, number[]] => [it, []]));
  for (const way of [...ways, ...ways.toReversed()]) {
    const startMs = performance.now();
    await explain(library, index, way);
    times.get(way)?.push(performance.now() - startMs);
  }
  const timeOf = (way: RetrievalPlanName | undefined) => median(times.get(way) ?? []);
  return {
    plannerMs: timeOf(undefined),
    oracleMs: Math.min(...allowed.map(timeOf)),
    defaultMs: timeOf(chooser?.fallback ?? plan),
  };
}

async function explain(
  library: BenchWorld,
  index: number,
  plan?: RetrievalPlanName,
): Promise<RetrievalExplanation> {
  const query = queryOf(library, index, plan ? { plan } : {});
  return (await library.app.service.query(library.loaded.workspaceId, query)).explanation;
}

const placesOf = ({ ids }: World): ReadonlyMap<string, number> =>
  new Map(ids.map((id, place) => [id, place]));
