import { randomNumbers } from './random.ts';
import { type Action, type Mix, pickAction } from './workload.ts';

/** The number of users changes evenly to `users`. */
export interface Stage {
  readonly seconds: number;
  readonly users: number;
}

/** A request that is due whether or not those before it were answered. */
export interface Arrival {
  /** From the start of the run. */
  readonly dueMs: number;
  readonly action: Action;
  /** Chooses what is read, asked for or written; from 0 to below 1. */
  readonly choice: number;
}

/** 0 to 10 to 50 users, who stay, and to 0, each in a quarter of the time. */
export function standardStages(seconds: number): Stage[] {
  return [10, 50, 50, 0].map((users) => ({ seconds: seconds / 4, users }));
}

/** @returns how many users there are at that time; may be a fraction */
export function usersAt(stages: readonly Stage[], ms: number): number {
  let from = 0;
  let before = 0;
  for (const { seconds, users } of stages) {
    const length = seconds * 1_000;
    if (ms < from + length) return before + ((users - before) * (ms - from)) / length;
    from += length;
    before = users;
  }
  return 0;
}

/**
 * An open model: requests come at random (a Poisson process) at the rate that the users of the moment make, and do not
 * wait for each other. A server that stalls meets all that were due meanwhile.
 */
export function planArrivals(
  stages: readonly Stage[],
  { mix, requestsPerUser, seed }: { mix: Mix; requestsPerUser: number; seed: number },
): Arrival[] {
  const random = randomNumbers(seed);
  const totalMs = stages.reduce((sum, it) => sum + it.seconds * 1_000, 0);
  const wait = () => -Math.log(1 - random());
  const arrivals: Arrival[] = [];
  let expected = wait();
  for (let ms = 0; ms < totalMs; ms++) {
    // In one millisecond the rate hardly changes.
    const inThisMs = (usersAt(stages, ms + 0.5) * requestsPerUser) / 1_000;
    for (expected -= inThisMs; expected <= 0; expected += wait()) {
      const dueMs = inThisMs === 0 ? ms : ms + 1 + expected / inThisMs;
      arrivals.push({ dueMs: Math.max(ms, dueMs), action: pickAction(mix, random()), choice: random() });
    }
  }
  return arrivals.sort((a, b) => a.dueMs - b.dueMs);
}
