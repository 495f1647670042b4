import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { HealthCheck } from './checks/health-check.js';
import { HealthDuplicateCheckError, HealthInvalidOptionsError } from './health.errors.js';
import { parseHealthOptions } from './health.options.js';
import { httpStatusOf } from './health.report.js';
import { HealthService } from './health.service.js';

const up: HealthCheck['check'] = () => Promise.resolve();
const down: HealthCheck['check'] = () => Promise.reject(new Error('password=hunter2 at db.internal'));

function makeHealth(checks: HealthCheck[], started = true): HealthService {
  const health = new HealthService(parseHealthOptions({ checks }));
  if (started) health.markStarted();
  return health;
}

const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
afterEach(() => {
  error.mockClear();
  warn.mockClear();
});

describe('HealthService', () => {
  it('is not ready before it has started', async () => {
    const health = makeHealth([], false);
    expect(await health.readiness()).toEqual({ status: 'starting', checks: {} });
    expect(httpStatusOf(health.startup())).toBe(503);
    health.markStarted();
    expect(await health.readiness()).toEqual({ status: 'up', checks: {} });
    expect(httpStatusOf(health.startup())).toBe(200);
  });

  it('knows more than the probes say, for operators', async () => {
    const health = makeHealth([
      { name: 'database', criticality: 'critical', check: down },
      { name: 'cache', criticality: 'degraded', check: up },
    ]);
    expect(health.details()).toMatchObject([{ name: 'database', checkedMsAgo: null, reason: null }, {}]);
    await health.readiness();
    expect(health.details()).toEqual([
      {
        name: 'database',
        criticality: 'critical',
        status: 'down',
        checkedMsAgo: expect.any(Number),
        durationMs: expect.any(Number),
        reason: 'password=hunter2 at db.internal',
      },
      expect.objectContaining({ name: 'cache', criticality: 'degraded', status: 'up', reason: null }),
    ]);
  });

  it('is not ready while a critical check is down, and keeps the reason out of the answer', async () => {
    const health = makeHealth([{ name: 'database', criticality: 'critical', check: down }]);
    const report = await health.readiness();
    expect(httpStatusOf(report)).toBe(503);
    expect(report).toEqual({
      status: 'down',
      checks: { database: { status: 'down', checkedMsAgo: expect.any(Number) } },
    });
    expect(JSON.stringify(await health.overall())).not.toContain('hunter2');
    await health.readiness();
    expect(error).toHaveBeenCalledTimes(1);
  });

  it('stays ready and says degraded while a lesser check is down', async () => {
    const health = makeHealth([
      { name: 'database', criticality: 'critical', check: up },
      { name: 'redis', criticality: 'degraded', check: down },
    ]);
    const report = await health.readiness();
    expect(report.status).toBe('degraded');
    expect(httpStatusOf(report)).toBe(200);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('is not ready while it drains, whatever the checks say', async () => {
    const health = makeHealth([{ name: 'database', criticality: 'critical', check: up }]);
    health.beginDrain();
    expect((await health.readiness()).status).toBe('draining');
    expect(health.liveness().status).toBe('up');
  });

  it('never lets a dependency decide about liveness', async () => {
    const health = makeHealth([{ name: 'database', criticality: 'critical', check: down }]);
    await health.readiness();
    expect(httpStatusOf(health.liveness())).toBe(200);
    expect(Object.keys(health.liveness().checks)).toEqual(['event-loop', 'heap', 'process']);
  });

  it('asks for a restart after a fatal error', async () => {
    const health = makeHealth([]);
    health.markFatal('the disk is gone');
    expect(httpStatusOf(health.liveness())).toBe(503);
    expect(httpStatusOf(await health.readiness())).toBe(503);
    expect(httpStatusOf(await health.overall())).toBe(503);
    expect(JSON.stringify(await health.overall())).not.toContain('disk');
  });

  it.each(['database', 'heap'])('refuses a second check named %s', (name) => {
    const health = makeHealth([{ name: 'database', criticality: 'critical', check: up }]);
    expect(() => health.register({ name, criticality: 'degraded', check: up })).toThrow(
      HealthDuplicateCheckError,
    );
  });

  it('refuses a check of a wrong shape and an unknown option', () => {
    const wrong = { name: 'Data base', criticality: 'critical', check: up } as const;
    expect(() => makeHealth([]).register(wrong)).toThrow(HealthInvalidOptionsError);
    expect(() => parseHealthOptions({ checks: [wrong] })).toThrow(HealthInvalidOptionsError);
    expect(() => parseHealthOptions({ cheks: [] } as object)).toThrow(/cheks/);
  });

  it('gives its figures without running a check', async () => {
    const check = jest.fn(up);
    const health = makeHealth([{ name: 'database', criticality: 'critical', check }]);
    const before = Object.fromEntries(health.collect().map((it) => [it.name, it.samples]));
    expect(before['health_check_up']).toEqual([]);
    expect(check).not.toHaveBeenCalled();
    await health.readiness();
    const after = Object.fromEntries(health.collect().map((it) => [it.name, it.samples]));
    expect(after['health_check_up']).toEqual([
      { labels: { check: 'database', criticality: 'critical' }, value: 1 },
    ]);
    expect(after['health_ready']).toEqual([{ labels: {}, value: 1 }]);
  });
});
