import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { type Manifest, type ManifestOf, parseManifest } from './kubernetes-manifests.ts';

const { allSettings, loadSettings } = await import('@peregrine/config');

const FOLDER = new URL('../../docker/kubernetes/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');

const kustomization = parse(read('kustomization.yaml')) as {
  resources: string[];
  images: { name: string }[];
};
const documents = kustomization.resources.flatMap((file) =>
  parseAllDocuments(read(file), { strict: true }).map((it) => it.toJS() as unknown),
);
const manifests = documents.map(parseManifest);
const all = <K extends Manifest['kind']>(kind: K) =>
  manifests.filter((it): it is ManifestOf<K> => it.kind === kind);

const deployments = all('Deployment').map((it) => {
  const pod = it.spec.template.spec;
  return { name: it.metadata.name, manifest: it, pod, container: pod.containers[0] };
});
const { data } = all('ConfigMap')[0] as ManifestOf<'ConfigMap'>;
const secrets = read('secret.example.env')
  .split('\n')
  .flatMap((line) => /^([A-Z]\w*)=$/.exec(line)?.[1] ?? []);

/** What the processes get, with made-up secrets. */
const settings = loadSettings(allSettings, {
  ...data,
  DATABASE_URL: 'postgres://a@b/c',
  REDIS_URL: 'redis://a',
  CURSOR_SECRET: 'x'.repeat(32),
  STORAGE_S3_ACCESS_KEY_ID: 'id',
  STORAGE_S3_SECRET_ACCESS_KEY: 'secret',
});

describe('docker/kubernetes', () => {
  it('names every file, and fits a schema that does refuse', () => {
    const files = readdirSync(FOLDER).filter((it) => it.endsWith('.yaml') && it !== 'kustomization.yaml');
    expect(kustomization.resources.toSorted()).toEqual(files.toSorted());
    const [deployment] = documents.filter((it) => (it as Manifest).kind === 'Deployment') as [
      ManifestOf<'Deployment'>,
    ];
    expect(() => parseManifest({ ...deployment, spec: { ...deployment.spec, replica: 2 } })).toThrow();
    expect(() => parseManifest({ ...deployment, apiVersion: 'apps/v1beta1' })).toThrow();
  });

  it('gives settings that exist, and takes what is secret from a Secret', () => {
    const known = Object.values(allSettings).flatMap(({ shape }) =>
      Object.values<{ variable: string; secret?: boolean }>(shape),
    );
    const variables = known.map((it) => it.variable);
    for (const name of [...Object.keys(data), ...secrets].filter((it) => !/^NODE_/.test(it)))
      expect(variables).toContain(name);
    const secret = known.filter((it) => it.secret).map((it) => it.variable);
    expect(Object.keys(data).filter((it) => secret.includes(it))).toEqual([]);
    expect(secrets).toEqual(expect.arrayContaining(['DATABASE_URL', 'CURSOR_SECRET']));
    expect(secrets.length).toBeGreaterThan(4);
    const pods = [...deployments.map((it) => it.pod), ...all('Job').map((it) => it.spec.template.spec)];
    for (const { containers } of pods) {
      expect(containers[0].envFrom).toEqual([
        { configMapRef: { name: 'peregrine' } },
        { secretRef: { name: 'peregrine' } },
      ]);
      expect(kustomization.images.map((it) => it.name)).toContain(containers[0].image);
    }
  });

  it.each(deployments)('asks $name where it listens, and under paths that it has', ({ container }) => {
    expect(container.ports).toEqual([
      { name: 'http', containerPort: settings.http.port },
      { name: 'metrics', containerPort: settings.metrics.port },
    ]);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map((it) => it?.httpGet)).toEqual(
      ['startup', 'live', 'ready'].map((it) => ({ path: `/health/${it}`, port: 'http' })),
    );
  });

  it.each(deployments)('gives $name time: to start, to answer a probe, to stop', ({ container, pod }) => {
    const { startupProbe, livenessProbe, readinessProbe, lifecycle } = container;
    const startSeconds = (startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0);
    expect(startSeconds * 1_000).toBeGreaterThanOrEqual(settings.database.startTimeoutMs * 1.5);
    // A check takes two seconds at most.
    expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(2);
    // A loop that is only slow for a moment is no reason to restart.
    const deadSeconds = (livenessProbe?.periodSeconds ?? 0) * (livenessProbe?.failureThreshold ?? 0);
    expect(deadSeconds).toBeGreaterThanOrEqual(20);
    const preStopMs = (lifecycle?.preStop.sleep.seconds ?? 0) * 1_000;
    const neededMs = preStopMs + settings.http.shutdownTimeoutMs;
    expect((pod.terminationGracePeriodSeconds ?? 0) * 1_000).toBeGreaterThan(neededMs);
    expect(settings.http.shutdownTimeoutMs).toBeGreaterThan(settings.http.shutdownDrainMs);
  });

  it('lets the api be forgotten before it drains', () => {
    const api = deployments.find((it) => it.name === 'peregrine-api');
    expect(api?.container.lifecycle?.preStop.sleep.seconds).toBeGreaterThanOrEqual(5);
    expect(settings.protection.trustedProxyHops).toBe(1);
  });

  it.each(deployments)(
    'mounts for $name what it writes to, and leaves room below its limit',
    ({ container, pod }) => {
      const mounts = container.volumeMounts?.map((it) => it.mountPath) ?? [];
      expect(mounts).toEqual(['/data', '/tmp']);
      expect(pod.volumes?.map((it) => it.name)).toEqual(container.volumeMounts?.map((it) => it.name));
      expect(data['CACHE_OBJECT_FOLDER']?.startsWith('/data/')).toBe(true);
      expect(settings.storage.driver).toBe('s3');
      const heapMb = Number(/--max-old-space-size=(\d+)/.exec(data['NODE_OPTIONS'] ?? '')?.[1]);
      expect(container.resources.limits.memory).toBe('1Gi');
      expect(heapMb).toBeLessThan(1_024 * 0.75);
    },
  );

  it.each(deployments)('keeps $name there through disruptions and scales it by figures that exist', (its) => {
    const { labels } = its.manifest.metadata;
    const selector = { matchLabels: labels };
    expect(its.manifest.spec.selector).toEqual(selector);
    expect(its.manifest.spec.template.metadata.labels).toEqual(labels);
    const named = <K extends Manifest['kind']>(kind: K) =>
      all(kind).find((it) => it.metadata.name === its.name) as ManifestOf<K>;
    expect(named('PodDisruptionBudget').spec).toEqual({ maxUnavailable: 1, selector });
    const { spec } = named('HorizontalPodAutoscaler');
    expect(spec.scaleTargetRef.name).toBe(its.name);
    expect(spec.minReplicas).toBe(its.manifest.spec.replicas);
    expect(spec.minReplicas).toBeGreaterThan(1);
    // The end-to-end test that looks for them at the metrics of both apps.
    const exported = readFileSync(new URL('../../apps/api/e2e/metrics.e2e-spec.ts', import.meta.url), 'utf8');
    const names = spec.metrics.flatMap((it) => {
      if (it.type === 'Resource') return [];
      return it.type === 'Pods' ? it.pods.metric.name : it.external.metric.name;
    });
    expect(names).toHaveLength(1);
    for (const name of names) expect(exported).toContain(`'${name}',`);
  });

  it('opens nothing but requests and figures', () => {
    const [closed, ...open] = all('NetworkPolicy');
    expect(closed?.spec.ingress).toBeUndefined();
    expect(closed?.spec.podSelector.matchLabels).toEqual({ 'app.kubernetes.io/part-of': 'peregrine' });
    expect(open.map((it) => it.spec.ingress?.flatMap((rule) => rule.ports.map((its) => its.port)))).toEqual([
      ['http'],
      ['metrics'],
    ]);
    const [service] = all('Service');
    expect(service?.spec.ports.map((it) => it.targetPort)).toEqual(['http', 'metrics']);
    expect(service?.spec.selector).toEqual(deployments[0]?.manifest.metadata.labels);
  });

  it('migrates with the image of the api', () => {
    const [job] = all('Job');
    expect(job?.spec.template.spec.containers[0]).toMatchObject({
      image: 'peregrine-api',
      command: ['node', 'migrations/dist/cli.js'],
    });
  });
});
