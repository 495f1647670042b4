import { afterEach, describe, expect, it } from '@jest/globals';
import { type MetricSource } from '../src/index.js';
import { type MetricsApp, startApp } from './metrics-app.js';

const OPENMETRICS = { headers: { accept: 'application/openmetrics-text;version=1.0.0' } };
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

let app: MetricsApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const source: MetricSource = {
  name: 'odd',
  collect: () => [
    { name: 'odd_things', help: 'Says "no" to _total', type: 'counter', samples: [{ value: 2 }] },
  ],
};

/** Samples without exemplars, sorted: what both formats have to agree on. */
const seriesOf = (page: string) =>
  page
    .split('\n')
    .filter((it) => it !== '' && !it.startsWith('#'))
    .map((it) => it.replace(/ # .*$/, '').replace(/ \S+$/, ''))
    .toSorted();

describe('the scrape endpoint, asked for OpenMetrics', () => {
  it('has the same series, families of counters without _total, and an end', async () => {
    app = await startApp({ sources: [source] });
    await fetch(`${app.url}/api/v1/things/1`);
    const page = async (init?: RequestInit) => {
      const response = await fetch(`${app?.url}/metrics`, init);
      return { type: response.headers.get('content-type'), text: await response.text() };
    };
    // Of their own scrapes both have a series.
    await page();
    const [plain, open] = [await page(), await page(OPENMETRICS)];
    expect(plain.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(seriesOf(open.text)).toEqual(seriesOf(plain.text));
    expect(open.text.endsWith('\n# EOF\n')).toBe(true);
    expect(plain.text).not.toContain('# EOF');
    expect(open.text).toContain('\n# TYPE http_requests counter\n');
    expect(open.text).toContain('# HELP odd_things Says \\"no\\" to _total\n# TYPE odd_things unknown\n');
    const families = [...open.text.matchAll(/^# TYPE (\S+) \S+$/gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
    expect(open.text).not.toContain('trace_id');
  });

  it('has the trace of the latest request of a bucket, and only where there is one', async () => {
    let traceId: string | undefined = TRACE_ID;
    app = await startApp({}, { traceIdOf: () => traceId });
    await fetch(`${app.url}/api/v1/things/1`);
    traceId = undefined;
    await fetch(`${app.url}/api/v1/things/1`);
    const open = await (await fetch(`${app.url}/metrics`, OPENMETRICS)).text();
    const exemplars = open.split('\n').filter((it) => it.includes(' # {'));
    expect(exemplars).toHaveLength(1);
    expect(exemplars[0]).toMatch(
      /^http_request_duration_seconds_bucket\{method="GET",route="[^"]+",status="2xx",le="[^"]+"\} \d+ # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736"\} [\d.e-]+ \d+(?:\.\d+)?$/,
    );
    expect(await (await fetch(`${app.url}/metrics`)).text()).not.toContain('trace_id');
  });
});
