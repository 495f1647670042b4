import { type AnyTaskDefinition } from '../definition/task-definition.js';

/**
 * What is held against a task: runs that ended badly without telling which task of several was to blame. It is kept
 * with the task in the store, so every process sees the same.
 *
 * A call that ends badly as a whole blames nobody, but everybody in it runs in smaller company the next time, until
 * the one that is to blame is alone. That goes for calls that failed, and for processes that died.
 */
export interface IsolationRecord {
  /** Lost claims, as BullMQ counts them, that are accounted for below. */
  readonly stalls: number;
  /** Times that its worker died, or lost its claim, since a run of it last came back. Above 0 it is a suspect. */
  readonly deaths: number;
  /** How many of them while nothing else ran in that process: what nobody but the task can be to blame for. */
  readonly crashes: number;
  /** Calls with others that failed as a whole since it last ended by itself. */
  readonly failures: number;
  /** The last run as a suspect: by which claim, and whether nothing else ran in the process. */
  readonly trial?: { readonly claim: number; readonly alone: boolean };
}

/** How a task may run. */
export interface Company {
  /** Tasks in one call of its handler, at most. */
  readonly size: number;
  /**
   * `common`: with whatever else runs. `suspects`: one call of suspects in a process at a time, so that a death points
   * at few. `alone`: nothing else runs in the process, so that a death is proof.
   */
  readonly turn: 'common' | 'suspects' | 'alone';
}

/**
 * A group is this many times smaller after every call that ended badly. A death costs the lock duration and a process,
 * a call only itself, so few large steps are better than halves: with 8, a batch of 1,000 takes three.
 */
const SHRINK = 8;

export const NOTHING: IsolationRecord = { stalls: 0, deaths: 0, crashes: 0, failures: 0 };

/**
 * What is held against a task that has just been claimed.
 *
 * @param stalls lost claims of the task, as BullMQ counts them
 * @param claim number of this claim
 */
export function afterClaim(record: IsolationRecord, stalls: number, claim: number): IsolationRecord {
  if (stalls === record.stalls) return record;
  const { trial, ...rest } = record;
  // Every claim since was lost, the trial's among them. Otherwise it may have been one that waited for its turn.
  const diedInTrial = trial !== undefined && stalls - record.stalls === claim - trial.claim;
  return {
    ...rest,
    stalls,
    deaths: diedInTrial ? record.deaths + 1 : Math.max(record.deaths, 1),
    crashes: diedInTrial && trial.alone ? record.crashes + 1 : record.crashes,
  };
}

/** What is held against a task whose run has come back without completing it. @param together it failed with others */
export function afterFailure({ stalls, failures }: IsolationRecord, together: boolean): IsolationRecord {
  return { ...NOTHING, stalls, failures: together ? failures + 1 : 0 };
}

/** @param attempt number of the attempt, from 1 */
export function companyOf(
  { deaths, failures }: IsolationRecord,
  { batch, attempts }: Pick<AnyTaskDefinition, 'batch' | 'attempts'>,
  attempt: number,
): Company {
  const batchSize = batch?.size ?? 1;
  // Nobody else may cost a task its last attempt, unless it has only one.
  const isLast = attempt > 1 && attempt >= attempts;
  const size = isLast ? 1 : groupSize(batchSize, deaths + failures);
  if (deaths === 0) return { size, turn: 'common' };
  const wasOnlySuspect = deaths > 1 && groupSize(batchSize, deaths - 1) === 1;
  return wasOnlySuspect ? { size: 1, turn: 'alone' } : { size, turn: 'suspects' };
}

function groupSize(batchSize: number, badEnds: number): number {
  return Math.max(1, Math.floor(batchSize / SHRINK ** badEnds));
}
