import { describe, expect, it } from '@jest/globals';
import { UnreplayedWrites } from './unreplayed-writes.js';
import { walPosition } from './wal-position.js';

describe('UnreplayedWrites', () => {
  const atPosition = (writes: UnreplayedWrites, position: bigint) => writes.ask()(position);
  const afterStart = () => {
    const writes = new UnreplayedWrites();
    atPosition(writes, 100n);
    return writes;
  };

  it('knows of nothing that a replica has before the primary was asked', () => {
    const writes = new UnreplayedWrites();
    expect(writes.isReplayed([], 1_000n)).toBe(false);
    atPosition(writes, 100n);
    expect(writes.isReplayed([], 99n)).toBe(false);
    expect(writes.isReplayed(['a'], 100n)).toBe(true);
  });

  it('waits for a question that was asked after the write', () => {
    const writes = afterStart();
    const place = writes.ask();
    writes.note(['a']);
    place(200n);
    expect(writes.isReplayed(['a'], 1_000n)).toBe(false);
    expect(writes.isReplayed(['b'], 100n)).toBe(true);
    atPosition(writes, 300n);
    expect(writes.isReplayed(['a', 'b'], 299n)).toBe(false);
    expect(writes.isReplayed(['a', 'b'], 300n)).toBe(true);
  });

  it('places a write by the next answer when a question had none', () => {
    const writes = afterStart();
    writes.note(['a']);
    writes.ask();
    writes.note(['b']);
    atPosition(writes, 300n);
    expect(writes.isReplayed(['a'], 299n)).toBe(false);
    expect(writes.isReplayed(['a', 'b'], 300n)).toBe(true);
  });

  it('forgets what every replica has', () => {
    const writes = afterStart();
    writes.note(['a']);
    atPosition(writes, 200n);
    writes.note(['b']);
    writes.forget(150n);
    expect(writes.isReplayed(['a'], 150n)).toBe(false);
    atPosition(writes, 300n);
    writes.forget(300n);
    expect(writes.isEmpty).toBe(true);
  });

  it('takes too many for a write to everything', () => {
    const writes = afterStart();
    for (let i = 0; i <= 10_000; i++) writes.note([`tag ${i}`]);
    expect(writes.isReplayed(['other'], 1_000n)).toBe(false);
    atPosition(writes, 200n);
    expect(writes.isReplayed(['other'], 200n)).toBe(true);
  });
});

describe('walPosition', () => {
  it.each([
    ['0/0', 0n],
    ['16/B374D848', 0x16b374d848n],
    ['1/00000100', 0x100000100n],
    // The header of a page.
    ['0/2018', 0x2000n],
    ['0/1000028', 0x1000000n],
    ['0/2030', 0x2030n],
  ])('reads %s', (text, position) => {
    expect(walPosition(text)).toBe(position);
  });

  it.each([null, undefined, '', '12', 'x/y', '0/123456789', 7])('reads nothing in %p', (text) => {
    expect(walPosition(text)).toBeUndefined();
  });
});
