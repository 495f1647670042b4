import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { InvalidPayloadError, PermanentTaskError, TaskTooNewError } from '../task-queue.errors.js';
import { defineTask } from './define-task.js';
import { decodePayload, encodePayload, encodeResult } from './task-payload.js';

const task = defineTask({
  name: 'a.b',
  payload: z.strictObject({ at: z.coerce.date(), secret: z.string().max(3) }),
});

describe('a payload', () => {
  it('is checked as it will arrive, and parsed when it does', async () => {
    const { text } = await encodePayload(task, { at: new Date(0), secret: 'x' }, 1_000);
    expect(text).toBe('{"at":"1970-01-01T00:00:00.000Z","secret":"x"}');
    expect(await decodePayload(task, { text, schemaVersion: 1 })).toEqual({ at: new Date(0), secret: 'x' });
  });

  it('that would not survive the journey is refused at the door', async () => {
    const dated = defineTask({ name: 'a.c', payload: z.strictObject({ at: z.date() }) });
    await expect(encodePayload(dated, { at: new Date(0) }, 1_000)).rejects.toThrow(InvalidPayloadError);
  });

  it('is named in the error by path, never by value', async () => {
    const error = await encodePayload(task, { at: 0, secret: 'hunter2' }, 1_000).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(String(error)).toContain('secret: ');
    expect(String(error)).not.toContain('hunter2');
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each([
    ['undefined', undefined],
    ['a function', () => 0],
    ['a big integer', { at: 1n }],
    ['a circle', circular],
  ])('of %s is refused', async (_kind, payload) => {
    await expect(encodePayload(task, payload, 1_000)).rejects.toThrow('cannot be written as JSON');
  });

  it('has a largest size in bytes, not characters', async () => {
    const free = defineTask({ name: 'a.d', payload: z.string() });
    await expect(encodePayload(free, 'üü', 5)).rejects.toThrow(
      'has 6 bytes as JSON, `maxPayloadBytes` allows 5',
    );
    expect((await encodePayload(free, 'üü', 6)).text).toBe('"üü"');
  });
});

describe('a payload of another version', () => {
  const third = defineTask({
    name: 'a.e',
    version: 3,
    upgrades: {
      1: (old) => ({ names: [(old as { name: string }).name] }),
      2: (old) => ({ ...(old as { names: string[] }), active: true }),
    },
    payload: z.strictObject({ names: z.array(z.string()), active: z.boolean() }),
  });

  it.each([
    [1, { name: 'x' }],
    [2, { names: ['x'] }],
    [3, { names: ['x'], active: true }],
  ])('%i is brought up step by step', async (schemaVersion, stored) => {
    const text = JSON.stringify(stored);
    expect(await decodePayload(third, { text, schemaVersion })).toEqual({ names: ['x'], active: true });
  });

  it('that is newer is for a newer process', async () => {
    await expect(decodePayload(third, { text: '{}', schemaVersion: 4 })).rejects.toThrow(TaskTooNewError);
  });

  it('that nobody upgrades any more, or whose upgrade fails, is not valid', async () => {
    const upgrades = {
      2: () => {
        throw new Error('no way up');
      },
    };
    const late = defineTask({ name: 'a.f', version: 3, upgrades, payload: z.unknown() });
    const read = (schemaVersion: number) => decodePayload(late, { text: '{}', schemaVersion });
    await expect(read(1)).rejects.toThrow('is of version 1, which version 3 no longer reads');
    await expect(read(2)).rejects.toThrow(InvalidPayloadError);
    await expect(read(2)).rejects.toThrow('no way up');
  });
});

describe('a result', () => {
  it.each([undefined, () => 0])('that JSON does not know becomes null', (value) => {
    expect(encodeResult(task, value)).toBe('null');
  });

  it('that cannot be written fails the task for good', () => {
    expect(() => encodeResult(task, 1n)).toThrow(PermanentTaskError);
  });
});
