import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly restart?: string;
  readonly command?: string | readonly string[];
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: {
    readonly replicas?: number;
    readonly resources?: { readonly limits?: { readonly cpus?: string; readonly memory?: string } };
  };
}

const text = read('docker/compose.yaml');
const compose = parse(text, { merge: true, strict: true }) as { services: Record<string, Service> };
const { services } = compose;
const all = Object.entries(services);

/** The published schema of the Compose Specification, as the linter `dclint` ships it. */
function composeSchema(): object {
  const manifest = createRequire(import.meta.url).resolve('dclint/package.json');
  const schema = JSON.parse(readFileSync(join(dirname(manifest), 'schemas/compose.schema.json'), 'utf8')) as {
    $schema?: string;
  };
  // The schema names its draft with https, which is not that draft's identifier; ajv speaks draft 7 unasked.
  delete schema.$schema;
  return schema;
}

describe('docker/compose.yaml', () => {
  it('fits the published schema of the Compose Specification, and the schema does refuse', () => {
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(
      composeSchema(),
    );
    expect(validate(compose) ? [] : validate.errors).toEqual([]);
    const api = { ...services['api'], restrat: 'always' };
    expect(validate({ services: { api } })).toBe(false);
  });

  it('has the services of the platform, with two workers', () => {
    const always = all.filter(([, it]) => !it.profiles).map(([name]) => name);
    expect(always.toSorted()).toEqual(['api', 'migrate', 'nginx', 'postgres', 'redis', 'worker']);
    expect(services['worker']?.deploy?.replicas).toBe(2);
  });

  it.each(all)(
    'runs %s hardened: no capability, no new rights, read-only, limited, not privileged',
    (_, service) => {
      expect(service).toMatchObject({
        read_only: true,
        init: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      expect(service.cap_add).toBeUndefined();
      expect(service.privileged).toBeUndefined();
      expect(service.deploy?.resources?.limits).toMatchObject({
        cpus: expect.stringMatching(/^\d/),
        memory: expect.stringMatching(/^\d+[mg]$/),
      });
    },
  );

  it.each(all)('takes an exact image for %s and no user root', (_, { image, user, build }) => {
    expect(image).toMatch(/^[a-z/-]+:(?:pg18|8|1\.28-bookworm|v3\.5\.0|12\.1\.0|\$\{TAG:-local\})$/);
    // Our own images have their user in the Dockerfile.
    if (!build) expect(user).toMatch(/^(?!root$|0$)\w+$/);
  });

  it('publishes a port of nginx only, and to this machine those of the profile observability', () => {
    const publishing = all.filter(([, it]) => it.ports);
    expect(publishing.map(([name]) => name)).toEqual(['nginx', 'prometheus', 'grafana']);
    for (const [, { profiles, ports }] of publishing.slice(1)) {
      expect(profiles).toEqual(['observability']);
      expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+$/)]);
    }
  });

  it('checks the health of everything that stays, and waits for it', () => {
    for (const [name, { healthcheck, restart }] of all) {
      if (name === 'migrate') expect([restart, healthcheck?.disable]).toEqual(['no', true]);
      else expect(healthcheck?.test?.[0]).toBe('CMD');
    }
    for (const name of ['api', 'worker']) {
      expect(services[name]?.depends_on).toMatchObject({
        migrate: { condition: 'service_completed_successfully' },
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
    expect(services['migrate']?.depends_on).toMatchObject({ postgres: { condition: 'service_healthy' } });
    expect(services['nginx']?.depends_on).toMatchObject({ api: { condition: 'service_healthy' } });
  });

  it('migrates with the image of the api', () => {
    const { migrate, api } = services;
    expect(migrate?.command).toEqual(['node', 'migrations/dist/cli.js']);
    expect([migrate?.image, migrate?.build]).toEqual([api?.image, api?.build]);
    expect(
      Object.keys((JSON.parse(read('apps/api/package.json')) as { dependencies: object }).dependencies),
    ).toContain('@peregrine/migrations');
  });

  it('builds from the Dockerfile, each app from its own target', () => {
    const builds = all.flatMap(([name, { build }]) =>
      build ? [[name, build.dockerfile, build.target]] : [],
    );
    expect(builds).toEqual([
      ['migrate', 'docker/Dockerfile', 'api'],
      ['api', 'docker/Dockerfile', 'api'],
      ['worker', 'docker/Dockerfile', 'worker'],
    ]);
  });

  it('has no secret in it: each is required from the environment, and explained in .env.example', () => {
    const variables = [...text.matchAll(/\$\{(\w+)(:[?-])/g)].map(
      ([, name, operator]) => [name, operator] as const,
    );
    const required = new Set(variables.filter(([, it]) => it === ':?').map(([name]) => name));
    expect(required).toEqual(new Set(['POSTGRES_PASSWORD', 'CURSOR_SECRET', 'BOOTSTRAP_ADMIN_KEY']));
    expect(text.match(/\$\{\w+\}/g)).toBeNull();
    const example = read('docker/.env.example');
    for (const name of required) expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
  });

  it('gives api and workers the same settings and the same files, and time to stop', () => {
    const { api, worker } = services;
    expect(worker?.environment).toEqual(api?.environment);
    expect(api?.environment).toMatchObject({ HOST: '0.0.0.0', STORAGE_FOLDER: '/data', LOG_FORMAT: 'json' });
    expect(api?.environment).toMatchObject({ CACHE_OBJECT_FOLDER: '/data/cache' });
    // Within the networks of the file; not on the port that nginx passes on.
    expect(api?.environment).toMatchObject({ METRICS_HOST: '0.0.0.0', METRICS_PORT: '9464' });
    expect(api?.volumes).toEqual(['files:/data']);
    expect(worker?.volumes).toEqual(api?.volumes);
    for (const it of [api, worker]) {
      const drainMs = Number(it?.environment?.['SHUTDOWN_DRAIN_MS']);
      expect(Number.parseInt(it?.stop_grace_period ?? '', 10) * 1_000).toBeGreaterThan(drainMs);
    }
  });
});
