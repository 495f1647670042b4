import { describe, expect, it } from '@jest/globals';
import { GroupedTurns } from './grouped-turns.js';

describe('grouped turns', () => {
  it('take together what came while others were under way', async () => {
    const groups: (readonly number[])[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = Promise.withResolvers<void>();
    const turns = new GroupedTurns<number, number>(async (parts) => {
      groups.push(parts);
      first.resolve();
      await gates[groups.length - 1]?.promise;
      return groups.length;
    }, 1);
    const alone = turns.add(1);
    await first.promise;
    const together = [turns.add(2), turns.add(3)];
    gates[0]?.resolve();
    expect(await alone).toBe(1);
    gates[1]?.resolve();
    expect(await Promise.all(together)).toEqual([2, 2]);
    expect(groups).toEqual([[1], [2, 3]]);
  });

  it('hand on a failure to the whole group, and go on', async () => {
    const failure = new Error('gone');
    let runs = 0;
    const turns = new GroupedTurns<number, string>(
      () => (++runs === 1 ? Promise.reject(failure) : Promise.resolve('well')),
      2,
    );
    const group = [turns.add(1), turns.add(2)].map((it) => expect(it).rejects.toBe(failure));
    await Promise.all(group);
    expect(await turns.add(3)).toBe('well');
  });
});
