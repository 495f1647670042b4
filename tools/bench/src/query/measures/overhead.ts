import { median } from '../../harness/statistics.ts';
import type { Subject } from '../libraries/contract.ts';
import { readerOf } from '../libraries/variants.ts';
import { FILES } from '../table.ts';

/** Of one uncached read, microseconds. */
export interface Cost {
  /** CPU of this process. */
  readonly cpu: number;
  readonly wall: number;
}

/** By callers at once. */
export const CALLERS = [1, 10] as const;

export interface OverheadSample {
  readonly callers: number;
  readonly pg: Cost;
  readonly peregrine: Cost;
  /** Medians of the ratios of neighbouring blocks. */
  readonly ratio: Cost;
}

const BLOCK = 200;
/** Of each in one opening. */
const BLOCKS = 4;
/** A service runs for days: by then what is called for every statement is compiled. */
const WARM_UP = 5_000;

/**
 * Both read in turn, in short blocks. Which core the server puts a connection's process on weighs more than what is
 * measured (twice the time is nothing unusual), so both are opened anew again and again: rather often than for long.
 *
 * @param openings of both, for each number of callers
 */
export async function measureOverhead(url: string, openings: number): Promise<OverheadSample[]> {
  const samples: OverheadSample[] = [];
  await warmUp(url);
  for (const callers of CALLERS) {
    const pairs: [Cost, Cost][] = [];
    for (let i = 0; i < openings; i++) pairs.push(...(await measurePair(url, callers, i % 2 === 0)));
    const of = (cost: (pair: [Cost, Cost]) => number) => median(pairs.map(cost));
    samples.push({
      callers,
      pg: { cpu: of(([pg]) => pg.cpu), wall: of(([pg]) => pg.wall) },
      peregrine: { cpu: of(([, ours]) => ours.cpu), wall: of(([, ours]) => ours.wall) },
      ratio: {
        cpu: of(([pg, ours]) => ours.cpu / pg.cpu),
        wall: of(([pg, ours]) => ours.wall / pg.wall),
      },
    });
  }
  return samples;
}

async function warmUp(url: string): Promise<void> {
  for (const id of ['pg', 'peregrine-uncached'] as const) {
    const subject = await readerOf(id).open(url);
    await block(subject, 1, WARM_UP);
    await subject.close();
  }
}

/** @returns of neighbouring blocks, pg's cost and ours */
async function measurePair(url: string, callers: number, isPgFirst: boolean): Promise<[Cost, Cost][]> {
  const open = (id: 'pg' | 'peregrine-uncached') => readerOf(id).open(url);
  const [pg, ours] = [await open('pg'), await open('peregrine-uncached')];
  try {
    // By ten callers, so that both have as many connections: where the system puts the process of one depends on how many there are.
    for (const it of [pg, ours]) await block(it, 10, 3 * BLOCK);
    const pairs: [Cost, Cost][] = [];
    for (let i = 0; i < BLOCKS; i++) {
      const isPgNow = isPgFirst === (i % 2 === 0);
      const first = await block(isPgNow ? pg : ours, callers, BLOCK);
      const second = await block(isPgNow ? ours : pg, callers, BLOCK);
      pairs.push(isPgNow ? [first, second] : [second, first]);
    }
    return pairs;
  } finally {
    await Promise.all([pg.close(), ours.close()]);
  }
}

async function block(subject: Subject, callers: number, count: number): Promise<Cost> {
  let next = 0;
  const caller = async () => {
    for (let i = next++; i < count; i = next++) await subject.readOne(1 + ((i * 37) % FILES));
  };
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / count, wall: (1_000 * (performance.now() - startedAt)) / count };
}
