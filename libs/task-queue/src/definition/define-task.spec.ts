import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { InvalidTaskDefinitionError } from '../task-queue.errors.js';
import { defineTask } from './define-task.js';

const payload = z.strictObject({});

describe('defineTask', () => {
  it('fills in the defaults and freezes', () => {
    const definition = defineTask({ name: 'content.extract-text', payload });
    expect(definition).toMatchObject({
      priority: 'NORMAL',
      attempts: 3,
      backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.2, maxDelayMs: 86_400_000 },
      timeoutMs: 300_000,
      version: 1,
      upgrades: {},
      public: false,
    });
    expect(definition.payload).toBe(payload);
    expect(Object.isFrozen(definition)).toBe(true);
  });

  it.each(['', 'Upper', 'a:b', 'a/b', 'a..b', '1a', 'a b', 'x'.repeat(101)])(
    'refuses the name %j',
    (name) => {
      expect(() => defineTask({ name, payload })).toThrow(InvalidTaskDefinitionError);
    },
  );

  it('reports every problem at once', () => {
    const define = () =>
      defineTask({ name: 'a', payload, attempts: 1.5, timeoutMs: 0, batch: { size: 0, maxWaitMs: 1 } });
    expect(define).toThrow(/attempts[^]*timeoutMs[^]*batch\.size/);
  });

  it.each([
    ['a gap', 4, [1, 3], 'the one from version 2 is missing'],
    ['no last step', 3, [1], 'the one from version 2 is missing'],
    ['no step at all', 2, [], 'the one from version 1 is missing'],
    ['a step from the present', 2, [1, 2], 'from version 2, but the task is of version 2'],
  ])('refuses upgrades with %s', (_problem, version, from, message) => {
    const upgrades = Object.fromEntries(from.map((it) => [it, (old: unknown) => old]));
    expect(() => defineTask({ name: 'a', payload, version, upgrades })).toThrow(message);
  });

  it('takes upgrades that begin late: nobody stores older payloads for ever', () => {
    const upgrades = { 2: (old: unknown) => old };
    expect(defineTask({ name: 'a', payload, version: 3, upgrades }).upgrades).toEqual(upgrades);
  });

  it('fills in the limit, and keeps its functions', () => {
    const key = () => 'k';
    expect(defineTask({ name: 'a', payload, rateLimit: { key } }).rateLimit).toEqual({
      ratePerSecond: 100,
      burst: 200,
      key,
    });
  });

  it('reports what is wrong inside', () => {
    const wrong = {
      backoff: { type: 'custom', delayMs: 5 },
      rateLimit: { ratePerSecond: 0, burst: 0.5 },
      dedupe: { key: 'k', windowMs: -1 },
      version: 0,
    };
    expect(() => defineTask({ name: 'a', payload, ...(wrong as object) })).toThrow(
      /version[^]*backoff\.delayMs[^]*rateLimit\.ratePerSecond[^]*rateLimit\.burst[^]*dedupe\.key[^]*dedupe\.windowMs/,
    );
  });
});
