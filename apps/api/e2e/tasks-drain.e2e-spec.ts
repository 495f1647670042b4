import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

// A machine that is busy with something else must not fail them.
jest.setTimeout(180_000);

const TOOL = 'tools/src/tasks-drain.ts';
const REINDEX = 'content.reindex-workspace';

describe.each([
  ['on Redis', true],
  ['on PostgreSQL', false],
])('npm run tasks:drain, %s,', (_, redis) => {
  let platform: Platform;
  let workspace: string;
  let data: string;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'peregrine-drain-'));
    platform = await Platform.start({ redis, workers: 0 });
    workspace = await platform.createWorkspace();
  });
  afterAll(async () => {
    await platform?.stop();
    await rm(data, { recursive: true, force: true });
  });

  // The servers are those of the tests, and so is the choice between the stores: no Redis is started for it.
  const drain = (...args: string[]) =>
    redis
      ? platform.run(TOOL, ['--no-build', '--data', data, ...args])
      : platform.run(
          'apps/worker/dist/drain.js',
          args.map((it) => it.replace('--timeout', '--timeout-ms')),
        );
  const submit = async (options: object = {}) => {
    const body = { task: REINDEX, payload: { workspaceId: workspace }, ...options };
    return (await platform.request('POST', '/tasks', { body })).body.id as string;
  };
  const stateOf = async (id: string) => (await platform.request('GET', `/tasks/${id}`)).body.state as string;

  it('does what is pending, with what that submits, leaves what is for later, and ends', async () => {
    for (let n = 0; n < 20; n++) await platform.upload(workspace, `${n}.txt`, `number ${n}`);
    const id = await submit();
    const later = await submit({ payload: { workspaceId: workspace, onlyFailed: true }, delayMs: 3_600_000 });
    const { code, output } = await drain().ended();
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Drained: ') });
    expect(output).toContain('1 are delayed to a later time');
    expect(await stateOf(id)).toBe('completed');
    expect(await stateOf(later)).toBe('delayed');
    const { body } = await platform.request('GET', `/workspaces/${workspace}/statistics`);
    expect(body.byStatus).toMatchObject({ pending: 0, extracted: 20 });
  });

  it('has nothing to do on an empty queue', async () => {
    const { code, output } = await drain().ended();
    expect(code).toBe(0);
    expect(output).toContain('Drained: 0 completed');
  });

  it('gives up when the time is up, and ends in order on a signal', async () => {
    await submit({ delayMs: 20_000, payload: { workspaceId: await platform.createWorkspace() } });
    const timed = await drain('--timeout', '1').ended();
    expect(timed.code).toBe(1);
    expect(timed.output).toContain('Not drained, the time is up: ');
    const interrupted = drain();
    await until(() => interrupted.output.includes(' delayed'));
    const { code, output } = await interrupted.stop('SIGINT');
    expect(code).toBe(130);
    expect(output).toContain('Not drained, interrupted: ');
  });
});

describe('npm run tasks:drain', () => {
  it('explains itself, and refuses what it does not know', async () => {
    const platform = await Platform.start({ workers: 0 });
    try {
      const help = await platform.run(TOOL, ['--help']).ended();
      expect([help.code, help.output]).toEqual([0, expect.stringContaining('Exit code 0')]);
      for (const args of [
        ['--tmeout', '1'],
        ['--timeout', 'soon'],
        ['--timeout', '0'],
      ]) {
        const { code, output } = await platform.run(TOOL, args).ended();
        expect(code).toBe(1);
        expect(output).toContain(args[0]);
        expect(output).not.toContain('    at ');
      }
    } finally {
      await platform.stop();
    }
  });
});
