import type { AdaptiveIndexing, AdaptiveRound } from '@peregrine/query-optimizer';
import { setTimeout as delay } from 'node:timers/promises';

import type { Reporter } from '../reporter.ts';
import type { ApiClient } from './api-client.ts';

/** Three of its ticks, and the time that its builds and measurements take. */
const PATIENCE_MS = 90_000;
const POLL_MS = 500;

export interface AwaitedRound {
  /** Reads what rounds have written, and may have one of its own. */
  readonly adaptive: AdaptiveIndexing;
  /** By the server's clock: what began before has not seen what was asked. */
  readonly since: Date;
  readonly reporter: Reporter;
}

/** A round that the workers of the platform have by their schedule. @returns else why there is none */
export async function workersRound(
  admin: ApiClient,
  { adaptive, since, reporter }: AwaitedRound,
): Promise<AdaptiveRound | string> {
  const { mode } = await admin.json<{ mode: string }>('GET', '/optimizer/recommendations?limit=1');
  if (mode !== 'apply') {
    return `the platform has INDEX_ADVISOR_MODE=${mode}. For rounds of its workers: INDEX_ADVISOR_MODE=apply INDEX_ADVISOR_SCHEDULE='*/20 * * * * *' npm start`;
  }
  const title = 'A round of adaptive indexing, by the workers';
  return reporter.step(title, async (rename) => {
    const startedAt = performance.now();
    while (performance.now() - startedAt < PATIENCE_MS) {
      const round = (await adaptive.rounds(5)).findLast((it) => it.startedAt >= since);
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      if (round && round.outcome !== 'running') {
        rename(`${title}: ${round.outcome}`);
        return round;
      }
      rename(`${title}: ${round ? 'it is under way' : 'waiting for its turn'}, ${seconds} s`);
      await delay(POLL_MS);
    }
    rename(`${title}: none within ${PATIENCE_MS / 1_000} s`);
    return `the workers had none within ${PATIENCE_MS / 1_000} s: see INDEX_ADVISOR_SCHEDULE`;
  });
}

/** One that the demo starts itself. The worker may have one under way: then after it, for as long as patience lasts. */
export function ownRound({ adaptive, reporter }: AwaitedRound): Promise<AdaptiveRound> {
  const title = "A round of adaptive indexing, the demo's own";
  return reporter.step(title, async (rename) => {
    const startedAt = performance.now();
    for (;;) {
      const round = await adaptive.runRound({ onProgress: ({ text }) => rename(`${title}: ${text}`) });
      if (round.outcome !== 'busy' || performance.now() - startedAt > PATIENCE_MS) {
        rename(`${title}: ${round.outcome}`);
        return round;
      }
      await delay(POLL_MS);
    }
  });
}
