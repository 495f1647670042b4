import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { stringify } from 'yaml';

import { prometheusProgram } from './promtool.ts';

/** A rule as Prometheus' HTTP API shows it. */
export interface RuleState {
  readonly name: string;
  /** `ok` once it was evaluated without an error. */
  readonly health: string;
  readonly lastError?: string;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly alerts: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

/** A real Prometheus on a port and in a folder of its own, which asks its targets every second. */
export class PrometheusServer {
  readonly url: string;
  private readonly child: ChildProcess;
  private readonly folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.child = child;
    this.folder = folder;
  }

  /** @param targets `host:port` of each process, by job */
  static async start(
    rules: string,
    targets: Readonly<Record<string, readonly string[]>>,
  ): Promise<PrometheusServer> {
    const program = await prometheusProgram('prometheus');
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-prometheus-'));
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'rules.yml'), rules);
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: Object.entries(targets).map(([job, its]) => ({
        job_name: job,
        static_configs: [{ targets: its }],
      })),
    };
    await writeFile(join(folder, 'prometheus.yml'), stringify(config));
    const child = spawn(
      program,
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        '--web.listen-address=127.0.0.1:0',
        '--enable-feature=exemplar-storage',
        '--log.format=json',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return new PrometheusServer(await addressOf(child), child, folder);
  }

  async rule(name: string): Promise<RuleState | undefined> {
    return (await this.rules()).find((it) => it.name === name);
  }

  async rules(): Promise<RuleState[]> {
    const { groups } = await this.ask<{ groups: { rules: RuleState[] }[] }>('/api/v1/rules?type=alert');
    return groups.flatMap(({ rules }) => rules);
  }

  /** Fails with what Prometheus says when it does not understand the expression. */
  async query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    return (await this.ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(path))
      .result;
  }

  /** Of the last minutes, by series. */
  exemplars(
    expression: string,
  ): Promise<{ exemplars: { labels: Record<string, string>; value: string }[] }[]> {
    const now = Date.now() / 1_000;
    const range = new URLSearchParams({ query: expression, start: `${now - 600}`, end: `${now + 60}` });
    return this.ask(`/api/v1/query_exemplars?${range.toString()}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ask<T>(path: string): Promise<T> {
    const answer = (await (await fetch(this.url + path)).json()) as {
      status: string;
      error?: string;
      data: T;
    };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
}

/** Port 0 is any free one; the log says which. What comes after it is read too, so that the pipe never fills. */
function addressOf(child: ChildProcess): Promise<string> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Prometheus ended:\n${lines.join('\n')}`)));
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      lines.push(line);
      const { msg = '', address } = JSON.parse(line) as { msg?: string; address?: string };
      if (/^listening on$/i.test(msg) && address !== undefined) resolve(`http://${address}`);
    });
  });
}
