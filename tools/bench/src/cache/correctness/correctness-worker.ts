import { Redis } from 'ioredis';

import type { VariantId } from '../libraries/variants.ts';
import { serveWorker } from '../../harness/worker.ts';
import { LOAD_PROBES } from './load-probes.ts';
import { bad, type Finding, type Probe, ProbeContext } from './probe.ts';
import { REDIS_PROBES } from './redis-probes.ts';
import { VALUE_PROBES } from './value-probes.ts';

export interface CorrectnessInput {
  readonly variant: VariantId;
  readonly redisUrl: string;
}

/** Title of the probe and what it found, in the order of the table. */
export type Findings = readonly (readonly [title: string, finding: Finding])[];

const PROBES: readonly Probe[] = [...LOAD_PROBES, ...REDIS_PROBES, ...VALUE_PROBES];

await serveWorker<CorrectnessInput, Findings>(async ({ variant, redisUrl }) => {
  const redis = new Redis(redisUrl);
  const findings: [string, Finding][] = [];
  for (const probe of PROBES) {
    await redis.flushall('SYNC');
    const context = new ProbeContext(variant, redisUrl);
    try {
      findings.push([probe.title, await probe.run(context)]);
    } catch (error) {
      findings.push([probe.title, bad(`throws ${error instanceof Error ? error.name : String(error)}`)]);
      console.error(probe.title, error);
    } finally {
      await context.close();
    }
  }
  return findings;
});
