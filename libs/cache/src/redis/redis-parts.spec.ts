import { describe, expect, it, jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { slotOfTag } from './cluster-slots.js';
import { Deadlines } from './deadlines.js';
import { serverName, targetOf } from './redis-client.js';
import { describeFault, faultOf, RedisDeadlineError } from './redis-faults.js';
import { identify } from './server-facts.js';

describe('slotOfTag', () => {
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['', 0],
  ])('agrees with CLUSTER KEYSLOT on %p', (tag, slot) => expect(slotOfTag(tag)).toBe(slot));
});

describe('Deadlines', () => {
  it('tells each one that is late, once and in order, and no other', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const deadlines = new Deadlines(100);
      const late: string[] = [];
      const first = deadlines.start(() => late.push('first'));
      const second = deadlines.start(() => late.push('second'));
      jest.advanceTimersByTime(50);
      const third = deadlines.start(() => late.push('third'));
      expect(deadlines.stop(second)).toBe(true);
      jest.advanceTimersByTime(60);
      await turn();
      expect(late).toEqual(['first']);
      expect(deadlines.stop(first)).toBe(false);
      jest.advanceTimersByTime(60);
      await turn();
      expect(late).toEqual(['first', 'third']);
      expect(deadlines.stop(third)).toBe(false);
      deadlines.start(() => late.push('fourth'));
      jest.advanceTimersByTime(110);
      await turn();
      expect(late).toEqual(['first', 'third', 'fourth']);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('targetOf', () => {
  it('takes all parts of a URL', () => {
    expect(targetOf('rediss://me:p%40ss@host:7000/5')).toEqual({
      host: 'host',
      port: 7_000,
      tls: true,
      database: 5,
      username: 'me',
      password: 'p@ss',
    });
    expect(targetOf('redis://[::1]')).toEqual({ host: '::1', port: 6_379, tls: false, database: 0 });
    expect(serverName(targetOf('redis://:secret@[::1]'))).toBe('[::1]:6379');
  });
});

describe('faults', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', 'moved'],
    ['ASK 3999 127.0.0.1:6381', 'moving'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'moving'],
    ['ERR Script attempted to access a non local key in a cluster node script: abc', 'moving'],
    ['SESSIONOVER the session is over', 'session'],
    ['OOM command not allowed', 'full'],
    ['NOSCRIPT No matching script', 'state'],
    ['WRONGTYPE Operation against a key', 'refused'],
    ['Socket closed unexpectedly', 'silent'],
  ])('takes "%s" for %s', (message, fault) => expect(faultOf(new Error(message))).toBe(fault));

  it('has a code for people', () => {
    expect(describeFault('h:1', new Error('WRONGPASS invalid')).code).toBe('CACHE_REDIS_AUTH');
    expect(describeFault('h:1', new Error('NOAUTH Authentication required.')).code).toBe('CACHE_REDIS_AUTH');
    expect(describeFault('h:1', new Error("ERR unknown command 'EVALSHA'")).code).toBe(
      'CACHE_REDIS_UNSUPPORTED',
    );
    expect(describeFault('h:1', new RedisDeadlineError(100)).code).toBe('CACHE_REDIS_UNAVAILABLE');
  });
});

describe('identify', () => {
  const info = (facts: Record<string, string> = {}) =>
    Object.entries({
      redis_version: '7.0.15',
      redis_mode: 'standalone',
      run_id: 'a',
      role: 'master',
      master_replid: 'b',
      ...facts,
    })
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join('');

  it('names a server otherwise after a restart, and each time it becomes a master', () => {
    const ids = [info(), info({ run_id: 'x' }), info({ master_replid: 'x' })].map((it) =>
      identify('h', 'single', it),
    );
    expect(new Set(ids).size).toBe(3);
    expect(identify('h', 'single', info())).toBe(ids[0]);
  });

  it.each([
    ['CACHE_REDIS_VERSION', 'single', { redis_version: '6.0.16' }],
    ['CACHE_REDIS_UNSUPPORTED', 'single', { redis_mode: 'cluster' }],
    ['CACHE_REDIS_UNSUPPORTED', 'single', { redis_mode: 'sentinel' }],
    ['CACHE_REDIS_UNSUPPORTED', 'cluster', {}],
    ['CACHE_REDIS_UNSUPPORTED', 'single', { role: 'slave' }],
    ['CACHE_REDIS_UNAVAILABLE', 'sentinel', { role: 'slave' }],
  ] as const)('refuses with %s as %s: %j', (code, kind, facts) => {
    expect(() => identify('h', kind, info(facts))).toThrow(expect.objectContaining({ code }));
  });
});
