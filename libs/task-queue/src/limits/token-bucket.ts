/** A bucket as it was at one moment. Times are microseconds of the store's clock. */
export interface BucketState {
  /** When the levels were true. In the future while the bucket is paused: until then nothing flows in or out. */
  readonly atUs: number;
  /** Tokens that were taken and have not flowed back. */
  readonly taken: number;
  /** `taken`, and what has been promised again to those who found nothing at their slots; never less than `taken`. */
  readonly returning: number;
  /** The same and what has been promised to all others who wait; never less than `returning`. */
  readonly promised: number;
}

export interface TakeRequest {
  /** Whole tokens, at most `burst`. */
  readonly cost: number;
  readonly ratePerSecond: number;
  readonly burst: number;
  /** The slot that was promised to this caller before; 0 for none. */
  readonly slotUs: number;
  /** A slot that lies further away than this is not promised. 0: none is. */
  readonly maxWaitUs: number;
}

export interface TakeAnswer {
  readonly granted: boolean;
  /** The store's clock. */
  readonly nowUs: number;
  /** When to ask again: with this slot, if it was promised. `nowUs` when granted. */
  readonly slotUs: number;
  /** Whole tokens that the next caller could have at once. */
  readonly remaining: number;
}

/** Levels are fractions; who comes back at the very moment must not fail by their last digits. Tokens. */
const ROUNDING = 1e-6;

/**
 * The generic cell rate algorithm in its form of a leaky bucket (ITU-T I.371, annex A), with promises: who is refused
 * may be given a slot, and comes back at that time.
 *
 * New callers are measured against `promised`, so they line up behind those who wait; who comes back with a slot is
 * measured against `taken`, which only knows what was granted. So the bound, at most `burst + rate * t` tokens in any
 * time t, holds for the grants themselves: a thousand callers who all come back long after their slots do not pass at
 * once. Who comes back in time passes, unless others were late by more than the burst makes up for; then the next
 * slot is one of the near ones behind `returning`, not at the end of the line.
 *
 * The scripts of both stores do the same; this is the text to read, and the model that the tests hold them to.
 *
 * @param state `undefined`: nobody has taken anything
 */
export function take(
  state: BucketState | undefined,
  request: TakeRequest,
  nowUs: number,
): { state: BucketState; answer: TakeAnswer } {
  const { cost, ratePerSecond, burst } = request;
  const level = drained(state, ratePerSecond, nowUs);
  const isBack = request.slotUs > 0;
  const end = (granted: boolean, slotUs: number, next: BucketState) => ({
    state: next,
    answer: { granted, nowUs, slotUs, remaining: remaining(next, nowUs, burst) },
  });
  if (request.slotUs > nowUs) return end(false, request.slotUs, level);
  const excess = (tokens: number) => tokens + cost - burst;
  if (level.atUs <= nowUs && excess(isBack ? level.taken : level.promised) <= ROUNDING) {
    return end(true, nowUs, isBack ? grantBack(level, cost) : grantNew(level, cost));
  }
  const behind = isBack ? level.returning : level.promised;
  const slotUs = level.atUs + Math.ceil((Math.max(0, excess(behind)) * 1e6) / ratePerSecond);
  if (slotUs - nowUs > request.maxWaitUs) return end(false, slotUs, level);
  const returning = isBack ? level.returning + cost : level.returning;
  const promised = isBack ? Math.max(level.promised, returning) : level.promised + cost;
  return end(false, slotUs, { ...level, returning, promised });
}

/** Who was promised a slot does not come. Later slots stay where they are. */
export function giveBack(state: BucketState, cost: number): BucketState {
  return { ...state, promised: Math.max(state.returning, state.promised - cost) };
}

/**
 * Nothing is granted for this time. The bucket does not fill meanwhile, so what follows is no burst; promises are
 * void, because whoever waits is given a new slot when it comes back.
 */
export function pause(state: BucketState | undefined, pauseUs: number, nowUs: number): BucketState {
  const { atUs, taken } = state ?? { atUs: nowUs, taken: 0 };
  return { atUs: Math.max(atUs, nowUs + pauseUs), taken, returning: taken, promised: taken };
}

/** From when on the bucket is as if it had never been used. */
export function forgettableAtUs({ atUs, promised }: BucketState, ratePerSecond: number): number {
  return atUs + Math.ceil((promised * 1e6) / ratePerSecond);
}

function grantNew({ atUs, taken, returning, promised }: BucketState, cost: number): BucketState {
  return { atUs, taken: taken + cost, returning: returning + cost, promised: promised + cost };
}

/** It is among the promised, and perhaps among the returning, already. */
function grantBack(level: BucketState, cost: number): BucketState {
  const taken = level.taken + cost;
  const returning = Math.max(level.returning, taken);
  return { atUs: level.atUs, taken, returning, promised: Math.max(level.promised, returning) };
}

function drained(state: BucketState | undefined, ratePerSecond: number, nowUs: number): BucketState {
  if (!state) return { atUs: nowUs, taken: 0, returning: 0, promised: 0 };
  const atUs = Math.max(nowUs, state.atUs);
  const flow = ((atUs - state.atUs) * ratePerSecond) / 1e6;
  const less = (tokens: number) => Math.max(0, tokens - flow);
  return {
    atUs,
    taken: less(state.taken),
    returning: less(state.returning),
    promised: less(state.promised),
  };
}

function remaining({ atUs, promised }: BucketState, nowUs: number, burst: number): number {
  return atUs > nowUs ? 0 : Math.max(0, Math.floor(burst - promised));
}
