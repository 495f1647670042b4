import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

import { dashboardFiles, DASHBOARDS_FOLDER } from '../src/dashboards/dashboard-files.ts';
import { assertUpToDate } from '../src/generated-files.ts';
import { ROOT } from '../src/paths.ts';

const read = (path: string): string => readFileSync(join(ROOT, 'docker', path), 'utf8');
const yaml = (path: string): ReturnType<typeof JSON.parse> => parse(read(path), { strict: true }) as unknown;

const text = { type: 'string', minLength: 1 };
const target = {
  type: 'object',
  required: ['refId', 'expr', 'datasource'],
  properties: { refId: { type: 'string', pattern: '^[A-Z]$' }, expr: text, legendFormat: text },
};
const panel = {
  type: 'object',
  required: ['id', 'type', 'title', 'gridPos', 'datasource', 'targets', 'fieldConfig'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    type: { const: 'timeseries' },
    title: text,
    gridPos: {
      type: 'object',
      required: ['x', 'y', 'w', 'h'],
      properties: { x: { enum: [0, 12] }, w: { const: 12 }, h: { type: 'integer' }, y: { type: 'integer' } },
    },
    targets: { type: 'array', minItems: 1, items: target },
  },
};
/** What Grafana's documentation of the JSON model asks for, as far as we use it. */
const dashboard = {
  type: 'object',
  required: ['uid', 'title', 'schemaVersion', 'panels', 'time', 'templating'],
  properties: {
    uid: { type: 'string', pattern: '^[a-z-]{1,40}$' },
    title: text,
    // A stored id would clash with what another Grafana gave it.
    id: false,
    schemaVersion: { type: 'integer', minimum: 36 },
    panels: { type: 'array', minItems: 1, items: panel },
  },
};

describe('the dashboards of Grafana', () => {
  const files = readdirSync(join(ROOT, DASHBOARDS_FOLDER));

  it('are what "npm run dashboards" writes, and there is no other', async () => {
    await assertUpToDate(dashboardFiles(), 'npm run dashboards');
    expect(files.toSorted()).toEqual(
      dashboardFiles()
        .map(({ path }) => path.slice(DASHBOARDS_FOLDER.length + 1))
        .toSorted(),
    );
  });

  it.each(files)('%s has the shape that Grafana loads, and no two panels in one place', (file) => {
    const validate = new Ajv({ allErrors: true, strict: false }).compile(dashboard);
    const model = JSON.parse(read(`grafana/dashboards/${file}`));
    expect(validate(model) ? [] : validate.errors).toEqual([]);
    const places = model.panels.map(
      ({ gridPos: { x, y } }: { gridPos: { x: number; y: number } }) => `${x},${y}`,
    );
    expect(new Set(places).size).toBe(places.length);
    expect(model.templating.list[0]).toMatchObject({ name: 'datasource', query: 'prometheus' });
    delete model.panels[0].targets;
    expect(validate(model)).toBe(false);
  });
});

describe('the profile observability of the compose file', () => {
  const { services } = yaml('compose.yaml');

  it('mounts files that exist, where the programs look for them', () => {
    for (const name of ['prometheus', 'grafana']) {
      const mounts = (services[name].volumes as string[]).filter((it) => it.startsWith('./'));
      expect(mounts.length).toBeGreaterThan(1);
      for (const mount of mounts) {
        const [source = '', , mode] = mount.split(':');
        expect([source, existsSync(join(ROOT, 'docker', source)), mode]).toEqual([source, true, 'ro']);
      }
    }
    const { providers } = yaml('grafana/provisioning/dashboards/peregrine.yml');
    expect(services.grafana.volumes).toContain(`./grafana/dashboards:${providers[0].options.path}:ro`);
  });

  it('scrapes api and worker by their names in the network, on the port of the figures', () => {
    const { scrape_configs: jobs } = yaml('prometheus/prometheus.yml');
    const port = Number(yaml('compose.yaml')['x-environment'].METRICS_PORT);
    for (const { job_name: job, dns_sd_configs: names } of jobs) {
      expect(Object.keys(services)).toContain(job);
      expect(names).toEqual([expect.objectContaining({ names: [job], type: 'A', port })]);
    }
    expect(jobs.map((it: { job_name: string }) => it.job_name)).toEqual(['api', 'worker']);
  });

  it('lets Grafana find that Prometheus, and lets nobody change anything', () => {
    const [source] = yaml('grafana/provisioning/datasources/prometheus.yml').datasources;
    expect(source).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090' });
    expect(services.grafana.environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
    });
  });
});
