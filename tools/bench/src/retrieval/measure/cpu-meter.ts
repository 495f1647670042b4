import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';

import { APPLICATION_NAME } from '../store/application-name.ts';

/** Processor time of this process and of the server's processes that work for it. */
export class CpuMeter {
  readonly #pool: Pool;

  /** @param pool a connection that is not measured */
  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** @returns milliseconds, of the library and of the server; NaN where the system does not tell */
  async measure<T>(work: () => Promise<T>): Promise<{ result: T; wallMs: number; cpuMs: number }> {
    const before = await this.#servers();
    const own = process.cpuUsage();
    const startMs = performance.now();
    const result = await work();
    const wallMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(own);
    const after = await this.#servers();
    let serverMs = 0;
    for (const [pid, ms] of after) serverMs += ms - (before.get(pid) ?? 0);
    return { result, wallMs, cpuMs: (user + system) / 1_000 + serverMs };
  }

  async #servers(): Promise<Map<number, number>> {
    const { rows } = await this.#pool.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE application_name = $1',
      [APPLICATION_NAME],
    );
    return new Map(rows.map(({ pid }) => [pid, processorMsOf(pid)]));
  }
}

/** The kernel's own count, in nanoseconds: the one of /proc/PID/stat goes in steps of ten milliseconds. */
function processorMsOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}
