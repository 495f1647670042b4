import { serveWorker } from '../harness/worker.ts';
import { measureFlood } from './measures/flood.ts';
import { measureHits } from './measures/hits.ts';
import { measureLoad } from './measures/load.ts';
import { measureOverhead } from './measures/overhead.ts';
import { measureStatements } from './measures/statements.ts';
import { CONNECTIONS as FLOOD_CONNECTIONS } from './measures/flood.ts';
import { CONNECTIONS as LOAD_CONNECTIONS } from './measures/load.ts';
import { type PoolId, poolOf, type ReaderId, readerOf } from './libraries/variants.ts';

/** What to measure, in a database with the table. */
export type MeasureInput = { readonly url: string; readonly amount: number } & (
  | { readonly suite: 'hits' | 'statements'; readonly reader: ReaderId }
  | { readonly suite: 'overhead' }
  | { readonly suite: 'flood' | 'load'; readonly pool: PoolId }
);

await serveWorker<MeasureInput, unknown>(async (input) => {
  const { url, amount } = input;
  switch (input.suite) {
    case 'overhead':
      return measureOverhead(url, amount);
    case 'hits':
      return measureHits(await readerOf(input.reader).open(url), amount);
    case 'statements':
      return measureStatements(await readerOf(input.reader).open(url), amount, url);
    case 'flood':
      return measureFlood(await poolOf(input.pool).open(url, FLOOD_CONNECTIONS), amount);
    case 'load':
      return measureLoad(await poolOf(input.pool).open(url, LOAD_CONNECTIONS), amount);
  }
});
