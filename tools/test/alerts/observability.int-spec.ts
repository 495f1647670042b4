import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

import { ALERTS } from '../../src/alerts/alerts.ts';
import { EXPECTED_METRICS } from '../../src/alerts/fields/scraping.ts';
import { renderRules } from '../../src/alerts/render-rules.ts';
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts';
import type { DevFile } from '../../src/platform/dev-file.ts';
import { StartRun } from '../start-fixture.ts';
import { mentionsOf, runbooks } from './runbooks.ts';
import { PrometheusServer } from './prometheus-server.ts';
import { ShownMetrics } from './shown-metrics.ts';

const { createTaskQueue, defineTask } = await import('@peregrine/task-queue');

// A machine that is busy with something else must not fail them.
jest.setTimeout(180_000);

/** As a process of another version had it: the worker will not read such payloads, at any attempt. */
const release = defineTask({ name: 'content.release-storage', payload: z.any() });

describe('the built apps and a real Prometheus', () => {
  let platform: StartRun;
  let dev: DevFile;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    // Traces are kept, though nobody takes them here.
    platform = await StartRun.ready({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } });
    dev = await platform.dev();
    const targets = (job: string) =>
      dev.processes
        .filter(({ name, url }) => url && name.startsWith(job))
        .map(({ url }) => new URL(url ?? '').host);
    prometheus = await PrometheusServer.start(
      // What holds for five minutes is told after a second; an increase is one of the last 20 seconds.
      renderRules(ALERTS, { secondsPerMinute: 0.2, windowSecondsPerMinute: 4 }),
      { api: targets('api'), worker: targets('worker') },
    );
  });
  afterAll(async () => {
    await prometheus?.stop();
    await platform?.cleanUp();
  });

  const request = (method: string, path: string, body?: object) =>
    fetch(`${dev.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${dev.adminKey}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  const until = (condition: () => Promise<boolean>) => platform.until(condition);
  const untilState = (name: string, state: string) =>
    until(async () => (await prometheus.rule(name))?.state === state);
  const shown = async () => {
    const urls = dev.processes.flatMap(({ url }) => url ?? []);
    return new ShownMetrics(
      await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text())),
    );
  };

  it('show every metric that alerts and dashboards ask for, with the labels they ask for', async () => {
    // The queue is counted in the background, from the first scrape on.
    await until(async () => (await shown()).hasSample('async_queue_size'));
    const metrics = await shown();
    const expressions = [
      ...ALERTS.map(({ expression }) => expression),
      ...DASHBOARDS.flatMap(({ panels }) => panels).flatMap(({ queries }) =>
        queries.map((it) => it.expression),
      ),
    ];
    expect(expressions.flatMap((it) => metrics.missingIn(it))).toEqual([]);
    expect(metrics.missingIn('no_such_metric + db_pool_connections{state="in-use"}')).toHaveLength(2);
  });

  it('have every address and every metric that a runbook sends a person to', async () => {
    const { operations, metrics } = mentionsOf(
      runbooks()
        .map(({ text }) => text)
        .join('\n'),
    );
    const { paths } = (await (await fetch(`${dev.url}/docs-json`)).json()) as {
      paths: Record<string, object>;
    };
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const isProbe = (it: string) => /^GET \/health\/(?:live|ready)$/.test(it);
    expect(operations.filter((it) => !isProbe(it) && !known.includes(it))).toEqual([]);
    for (const path of ['/health/live', '/health/ready'])
      expect((await fetch(dev.url + path)).status).toBe(200);
    const all = await shown();
    // A histogram is named as a whole.
    expect(
      metrics.filter((it) => all.missingIn(it).length + all.missingIn(`${it}_count`).length === 2),
    ).toEqual([]);
  });

  it('show from the start what an alert about missing metrics expects', async () => {
    await until(async () => {
      const metrics = await shown();
      return EXPECTED_METRICS.every((it) => metrics.hasSample(it));
    });
    await untilState('MetricsMissing', 'inactive');
  });

  it('give Prometheus rules and panels that it can evaluate', async () => {
    await until(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'));
    const rules = await prometheus.rules();
    expect(rules.map(({ name }) => name).toSorted()).toEqual(ALERTS.map(({ name }) => name).toSorted());
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    for (const { expression } of DASHBOARDS.flatMap(({ panels }) => panels).flatMap((it) => it.queries)) {
      await prometheus.query(expression.replaceAll('$__rate_interval', '1m'));
    }
    await until(async () => (await prometheus.query('count(up == 1)'))[0]?.value[1] === '2');
  });

  it('lead from the time of a request to its trace', async () => {
    const traceId = randomBytes(16).toString('hex');
    await fetch(`${dev.url}/api/v1/workspaces`, {
      headers: { authorization: `Bearer ${dev.adminKey}`, traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    await until(async () => {
      const series = await prometheus.exemplars('http_request_duration_seconds_bucket{job="api"}');
      return series.some(({ exemplars }) => exemplars.some(({ labels }) => labels['trace_id'] === traceId));
    });
  });

  it('make an alert fire when tasks fail for good, and clear when a person has dealt with them', async () => {
    await untilState('DeadLetters', 'inactive');
    const queue = await createTaskQueue({
      backend: dev.redisUrl === null ? 'postgres' : 'redis',
      connection: dev.redisUrl ?? dev.databaseUrl,
      prefix: 'peregrine',
      worker: false,
      tasks: [{ definition: release }],
    });
    try {
      await queue.submitBatch(release, [
        { payload: { nonsense: true }, id: 'one' },
        { payload: 1, id: 'two' },
      ]);
    } finally {
      await queue.close();
    }
    await untilState('DeadLetters', 'firing');
    await until(async () => {
      const [alert] = (await prometheus.rule('DeadLetters'))?.alerts ?? [];
      return alert?.annotations['summary'] === '2 tasks failed for good';
    });
    const purged = await request('POST', '/tasks/dead-letters/purge', {
      task: release.name,
      ids: ['one', 'two'],
    });
    expect(purged.status).toBe(200);
    await untilState('DeadLetters', 'inactive');
  });

  it('make an alert fire when a process is gone', async () => {
    await untilState('TargetDown', 'inactive');
    const worker = await platform.processId('worker-1');
    process.kill(worker ?? 0, 'SIGKILL');
    // Its successor answers on another port, of which this Prometheus knows nothing.
    await untilState('TargetDown', 'firing');
  });
});
