import { describe, expect, it } from '@jest/globals';
import { afterClaim, afterFailure, companyOf, type IsolationRecord, NOTHING } from './isolation.js';

const single = { attempts: 3 };
const batched = (size: number) => ({ attempts: 9, batch: { size, maxWaitMs: 0 } });
const suspect = (deaths: number): IsolationRecord => ({ ...NOTHING, stalls: deaths, deaths });

describe('the company of a task', () => {
  it('is a whole batch while nothing is held against it', () => {
    expect(companyOf(NOTHING, batched(20), 1)).toEqual({ size: 20, turn: 'common' });
    expect(companyOf(NOTHING, single, 1)).toEqual({ size: 1, turn: 'common' });
  });

  it('is an eighth for every call that failed as a whole, with whatever else runs', () => {
    const sizes = [0, 1, 2, 3, 4].map((failures) => companyOf({ ...NOTHING, failures }, batched(1_000), 1));
    expect(sizes.map((it) => it.size)).toEqual([1_000, 125, 15, 1, 1]);
    expect(new Set(sizes.map((it) => it.turn))).toEqual(new Set(['common']));
  });

  it('is an eighth for every death, among suspects, and nobody once it was the only suspect', () => {
    const companies = [1, 2, 3].map((deaths) => companyOf(suspect(deaths), batched(20), 1));
    expect(companies).toEqual([
      { size: 2, turn: 'suspects' },
      { size: 1, turn: 'suspects' },
      { size: 1, turn: 'alone' },
    ]);
    expect([1, 2].map((deaths) => companyOf(suspect(deaths), single, 1).turn)).toEqual(['suspects', 'alone']);
  });

  it('is nobody at the last attempt, unless that is the first', () => {
    expect(companyOf(NOTHING, { ...batched(20), attempts: 3 }, 3).size).toBe(1);
    expect(companyOf(NOTHING, { ...batched(20), attempts: 1 }, 1).size).toBe(20);
  });
});

describe('what is held against a task', () => {
  it('is a death when its claim was lost, and a crash when nothing else ran then', () => {
    const first = afterClaim(NOTHING, 1, 2);
    expect(first).toEqual({ stalls: 1, deaths: 1, crashes: 0, failures: 0 });
    const among = afterClaim({ ...first, trial: { claim: 2, alone: false } }, 2, 3);
    expect(among).toEqual({ stalls: 2, deaths: 2, crashes: 0, failures: 0 });
    const alone = afterClaim({ ...among, trial: { claim: 3, alone: true } }, 3, 4);
    expect(alone).toEqual({ stalls: 3, deaths: 3, crashes: 1, failures: 0 });
  });

  it('is nothing more when it was lost while it waited for its turn', () => {
    const record = { ...suspect(2), trial: { claim: 3, alone: true } };
    expect(afterClaim(record, 3, 5)).toEqual({ ...suspect(2), stalls: 3 });
  });

  it('is forgotten when a run comes back, but for the calls that failed with others', () => {
    const record: IsolationRecord = { stalls: 4, deaths: 3, crashes: 1, failures: 1 };
    expect(afterFailure(record, false)).toEqual({ ...NOTHING, stalls: 4 });
    expect(afterFailure(record, true)).toEqual({ ...NOTHING, stalls: 4, failures: 2 });
  });
});
