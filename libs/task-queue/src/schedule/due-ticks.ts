import { type Cron } from './cron.js';

/** What happens to ticks that nobody was there for. */
export type MissedTicks =
  /** They are left out. */
  | 'skip'
  /** One run stands for all of them. */
  | 'once'
  /** Each runs, the latest `catchUpLimit` of them. */
  | 'catch-up';

/** A tick that is older than this was missed, milliseconds. */
export const MISSED_AFTER_MS = 10_000;
/** Ticks that are run at once when none was missed: one a second. */
const MAX_RECENT = MISSED_AFTER_MS / 1_000 + 1;

export interface DueInput {
  readonly cron: Cron;
  /** The first tick that has not run, epoch milliseconds. */
  readonly nextAt: number;
  readonly now: number;
  readonly missed: MissedTicks;
  readonly catchUpLimit: number;
}

/** The ticks to run now, oldest first; epoch milliseconds. */
export function dueTicks({ cron, nextAt, now, missed, catchUpLimit }: DueInput): number[] {
  const recentFrom = Math.max(nextAt, now - MISSED_AFTER_MS);
  const recent = cron.lastBetween(recentFrom, now, MAX_RECENT);
  const missedUntil = (recent[0] ?? now + 1) - 1;
  switch (missed) {
    case 'skip':
      return recent;
    case 'once':
      return recent.length > 0 ? recent : cron.lastBetween(nextAt, missedUntil, 1);
    case 'catch-up':
      return [...cron.lastBetween(nextAt, missedUntil, catchUpLimit), ...recent];
  }
}
