import { expect, it } from '@jest/globals';
import { Turns } from './turns.js';

it('lets work of a key wait for the one before, whether that fails or not, and other keys alone', async () => {
  const turns = new Turns();
  const done: string[] = [];
  let begin = (): void => undefined;
  const held = new Promise<void>((resolve) => (begin = resolve));
  const first = turns.take('a', async () => {
    await held;
    done.push('first');
    throw new Error('It failed');
  });
  const second = turns.take('a', () => Promise.resolve(done.push('second')));
  await turns.take('b', () => Promise.resolve(done.push('other')));
  begin();
  await expect(first).rejects.toThrow('It failed');
  await second;
  expect(await turns.take('a', () => Promise.resolve(done.push('third')))).toBe(4);
  expect(done).toEqual(['other', 'first', 'second', 'third']);
});
