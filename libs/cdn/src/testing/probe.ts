import { BASIC_CHECKS } from './checks/basic-checks.js';
import { CONDITION_CHECKS } from './checks/condition-checks.js';
import { NEGOTIATION_CHECKS } from './checks/negotiation-checks.js';
import { PATH_CHECKS } from './checks/path-checks.js';
import { RANGE_CHECKS } from './checks/range-checks.js';
import { ProbedServer, type ProbeCheck } from './probe-check.js';

export interface ProbeResult {
  readonly check: ProbeCheck;
  /** Undefined when the server did right. */
  readonly problem: string | undefined;
}

/** Every check. */
export const PROBE_CHECKS: readonly ProbeCheck[] = [
  ...BASIC_CHECKS,
  ...NEGOTIATION_CHECKS,
  ...CONDITION_CHECKS,
  ...RANGE_CHECKS,
  ...PATH_CHECKS,
];

/** Runs the checks one after the other. */
export async function runProbe(
  base: URL,
  {
    checks = PROBE_CHECKS,
    onResult,
  }: { checks?: readonly ProbeCheck[]; onResult?: (it: ProbeResult) => void } = {},
): Promise<ProbeResult[]> {
  const server = new ProbedServer(base);
  const results: ProbeResult[] = [];
  for (const check of checks) {
    const result = { check, problem: await problemOf(check, server) };
    results.push(result);
    onResult?.(result);
  }
  return results;
}

async function problemOf(check: ProbeCheck, server: ProbedServer): Promise<string | undefined> {
  try {
    await check.run(server);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n', 1)[0];
  }
}
