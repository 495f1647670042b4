import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { stringify } from 'yaml';

import { RULES_FILE } from '../../src/alerts/rules-file.ts';
import { ROOT } from '../../src/paths.ts';
import { findProgram } from '../../src/platform/find-program.ts';
import { LOOKS, type Series, type ThreeOf } from './series.ts';

const run = promisify(execFile);

/** A program of Debian's package `prometheus`; missing, it is a failure that says what to install. */
export async function prometheusProgram(name: 'prometheus' | 'promtool'): Promise<string> {
  const path = await findProgram([name], process.env);
  if (path !== undefined) return path;
  throw new Error(`${name} is not on the PATH: install it (Debian, Ubuntu: apt-get install prometheus)`);
}

/** Runs promtool and resolves with what it said; fails with the same. */
export async function promtool(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(await prometheusProgram('promtool'), args, { cwd: ROOT }).catch(
    (error: Error & { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}${error.stderr}`, { cause: error });
    },
  );
  return stdout + stderr;
}

/**
 * Asks promtool's unit tests whether the committed rules fire.
 *
 * @param expected whether something matched by `alerts` fires at the end of each phase
 */
export async function assertFiring(
  folder: string,
  series: Series,
  alerts: string,
  expected: ThreeOf<boolean>,
): Promise<void> {
  const file = join(folder, 'story.test.yml');
  const test = {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: LOOKS.map((minute, phase) => ({
      // Prometheus keeps what fires as a series.
      expr: `(count(ALERTS{alertname=~"${alerts}",alertstate="firing"}) or vector(0)) > bool 0`,
      eval_time: `${minute}m`,
      exp_samples: [{ labels: '{}', value: Number(expected[phase]) }],
    })),
  };
  const rules = { rule_files: [join(ROOT, RULES_FILE)], evaluation_interval: '1m', tests: [test] };
  await writeFile(file, stringify(rules));
  await promtool('test', 'rules', file);
}
