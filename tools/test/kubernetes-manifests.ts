import { z } from 'zod';

// The part of Kubernetes' API (https://kubernetes.io/docs/reference/kubernetes-api/) that our manifests use, and no more:
// whatever is misspelled, or new, is refused until it is written down here.

const labels = z.record(z.string().regex(/^[a-z][\w./-]*$/), z.string());
const metadata = z.strictObject({ name: z.string(), labels });
const matchLabels = z.strictObject({ matchLabels: labels });
const port = z.int().min(1).max(65_535);
const seconds = z.int().min(1);
const quantity = z.string().regex(/^\d+(?:m|Mi|Gi)?$/);
const resources = z.strictObject({
  cpu: quantity.optional(),
  memory: quantity,
  'ephemeral-storage': quantity.optional(),
});

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/health/'), port: z.string() }),
  periodSeconds: seconds,
  timeoutSeconds: seconds,
  failureThreshold: z.int().min(1),
  successThreshold: z.int().min(1).optional(),
});

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  envFrom: z.array(
    z.union([
      z.strictObject({ configMapRef: z.strictObject({ name: z.string() }) }),
      z.strictObject({ secretRef: z.strictObject({ name: z.string() }) }),
    ]),
  ),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: port })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z.strictObject({ preStop: z.strictObject({ sleep: z.strictObject({ seconds }) }) }).optional(),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })).optional(),
  resources: z.strictObject({ requests: resources, limits: resources }),
});

const podSpec = z.strictObject({
  automountServiceAccountToken: z.literal(false),
  terminationGracePeriodSeconds: seconds.optional(),
  restartPolicy: z.literal('Never').optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.literal(1000),
    runAsGroup: z.literal(1000).optional(),
    fsGroup: z.literal(1000).optional(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: z.int().min(1),
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
        labelSelector: matchLabels,
      }),
    )
    .optional(),
  containers: z.tuple([container]),
  volumes: z
    .array(
      z.strictObject({
        name: z.string(),
        emptyDir: z.strictObject({ medium: z.literal('Memory').optional(), sizeLimit: quantity }),
      }),
    )
    .optional(),
});
const template = z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec });

const target = z.union([
  z.strictObject({ type: z.literal('Utilization'), averageUtilization: z.int().min(1).max(100) }),
  z.strictObject({ type: z.literal('AverageValue'), averageValue: quantity }),
]);
const metric = z.strictObject({ metric: z.strictObject({ name: z.string() }), target });

const kind = <K extends string, S extends z.ZodRawShape>(apiVersion: string, name: K, shape: S) =>
  z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(name), metadata, ...shape });

const manifest = z.discriminatedUnion('kind', [
  kind('v1', 'ConfigMap', { data: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()) }),
  kind('v1', 'Service', {
    spec: z.strictObject({
      selector: labels,
      ports: z.array(z.strictObject({ name: z.string(), port, targetPort: z.string() })),
    }),
  }),
  kind('batch/v1', 'Job', {
    spec: z.strictObject({
      backoffLimit: z.int(),
      activeDeadlineSeconds: seconds,
      ttlSecondsAfterFinished: seconds,
      template,
    }),
  }),
  kind('apps/v1', 'Deployment', {
    spec: z.strictObject({
      replicas: z.int().min(1),
      strategy: z.strictObject({
        type: z.literal('RollingUpdate'),
        rollingUpdate: z.strictObject({ maxUnavailable: z.literal(0), maxSurge: z.int().min(1) }),
      }),
      selector: matchLabels,
      template,
    }),
  }),
  kind('policy/v1', 'PodDisruptionBudget', {
    spec: z.strictObject({ maxUnavailable: z.int().min(1), selector: matchLabels }),
  }),
  kind('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({
        apiVersion: z.literal('apps/v1'),
        kind: z.literal('Deployment'),
        name: z.string(),
      }),
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(1),
      metrics: z.array(
        z.union([
          z.strictObject({
            type: z.literal('Resource'),
            resource: z.strictObject({ name: z.enum(['cpu', 'memory']), target }),
          }),
          z.strictObject({ type: z.literal('Pods'), pods: metric }),
          z.strictObject({ type: z.literal('External'), external: metric }),
        ]),
      ),
      behavior: z.strictObject({
        scaleDown: z.strictObject({
          stabilizationWindowSeconds: seconds,
          policies: z.array(
            z.strictObject({ type: z.literal('Pods'), value: z.int().min(1), periodSeconds: seconds }),
          ),
        }),
      }),
    }),
  }),
  kind('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: z.strictObject({
      podSelector: matchLabels,
      policyTypes: z.tuple([z.literal('Ingress')]),
      ingress: z
        .array(
          z.strictObject({
            from: z.array(z.strictObject({ namespaceSelector: matchLabels })),
            ports: z.array(z.strictObject({ port: z.string(), protocol: z.literal('TCP') })),
          }),
        )
        .optional(),
    }),
  }),
]);

export type Manifest = z.output<typeof manifest>;
export type ManifestOf<K extends Manifest['kind']> = Extract<Manifest, { kind: K }>;

/** @throws {z.ZodError} */
export function parseManifest(input: unknown): Manifest {
  return manifest.parse(input);
}
