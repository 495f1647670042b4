import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readCgroup } from './cgroup.js';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

/** A folder with what a kernel would show. */
async function kernel(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'peregrine-cgroup-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), `${text}\n`);
  }
  return root;
}

describe('readCgroup', () => {
  it('reads version 2 in a container', async () => {
    const root = await kernel({
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/memory.max': '1073741824',
      'sys/fs/cgroup/memory.current': '4096',
      'sys/fs/cgroup/cpu.max': '150000 100000',
      'sys/fs/cgroup/cpu.stat': 'usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000',
    });
    expect(await readCgroup(root)).toEqual({
      memoryLimitBytes: 1_073_741_824,
      memoryUsageBytes: 4_096,
      cpuLimitCores: 1.5,
      cpuThrottledSeconds: 2.5,
    });
  });

  it('takes the lowest limit of a group and those above it', async () => {
    const root = await kernel({
      'proc/self/cgroup': '0::/system.slice/api.service',
      'sys/fs/cgroup/system.slice/memory.max': '1000',
      'sys/fs/cgroup/system.slice/cpu.max': 'max 100000',
      'sys/fs/cgroup/system.slice/api.service/memory.max': 'max',
      'sys/fs/cgroup/system.slice/api.service/memory.high': '900',
      'sys/fs/cgroup/system.slice/api.service/memory.current': '10',
      'sys/fs/cgroup/system.slice/api.service/cpu.max': '50000 100000',
    });
    expect(await readCgroup(root)).toEqual({
      memoryLimitBytes: 1_000,
      memoryHighBytes: 900,
      memoryUsageBytes: 10,
      cpuLimitCores: 0.5,
    });
  });

  it('reads version 1, also where the path is that of the host', async () => {
    const root = await kernel({
      'proc/self/cgroup': '7:cpu,cpuacct:/docker/abc\n5:memory:/docker/abc\n0::/docker/abc',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '536870912',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '1024',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/cpu/cpu.stat': 'nr_periods 1\nnr_throttled 1\nthrottled_time 1500000000',
    });
    expect(await readCgroup(root)).toEqual({
      memoryLimitBytes: 536_870_912,
      memoryUsageBytes: 1_024,
      cpuLimitCores: 2,
      cpuThrottledSeconds: 1.5,
    });
  });

  it('has no figure where nothing is limited', async () => {
    const root = await kernel({
      'proc/self/cgroup': '5:memory:/',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    });
    expect(await readCgroup(root)).toEqual({});
  });

  it('has no figure without control groups', async () => {
    expect(await readCgroup(await kernel({}))).toEqual({});
  });
});
