import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What the kernel grants this process's control group. What is not limited, or not readable, is absent. */
export interface CgroupFigures {
  /** The lowest limit of the group and those above it, bytes. */
  readonly memoryLimitBytes?: number;
  /** The lowest mark of version 2 above which the kernel slows the group down to take memory back, bytes. */
  readonly memoryHighBytes?: number;
  /** Memory that the group uses, the page cache included, bytes. */
  readonly memoryUsageBytes?: number;
  /** CPU time a second, cores. */
  readonly cpuLimitCores?: number;
  /** Time in which the group was held back, seconds since it exists. */
  readonly cpuThrottledSeconds?: number;
}

/** Version 1 says "no limit" with the largest multiple of a page. */
const UNLIMITED_FROM = 2 ** 60;

type Read = (path: string) => Promise<string | undefined>;

/**
 * Reads version 2 (https://docs.kernel.org/admin-guide/cgroup-v2.html), or version 1 where memory is managed by it. Never
 * rejects: without control groups, and off Linux, everything is absent.
 *
 * @param root folder that has `proc` and `sys`
 */
export async function readCgroup(root = '/'): Promise<CgroupFigures> {
  const read: Read = async (path) => {
    try {
      return (await readFile(join(root, path), 'utf8')).trim();
    } catch {
      // What a kernel or a container does not show is no figure.
      return undefined;
    }
  };
  const groups = parseGroups((await read('proc/self/cgroup')) ?? '');
  if (groups.has('memory')) return version1(read, groups);
  const unified = groups.get('');
  return unified === undefined ? {} : version2(read, unified);
}

/** Path by controller; the unified hierarchy is the empty name. */
function parseGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(',')) groups.set(controller, path);
  }
  return groups;
}

async function version2(read: Read, path: string): Promise<CgroupFigures> {
  const folders = withParents('sys/fs/cgroup', path);
  const limits = folders.map(async (it) => number(await read(`${it}/memory.max`)));
  const marks = folders.map(async (it) => number(await read(`${it}/memory.high`)));
  const cpus = folders.map(async (it) => {
    const [quota, period] = ((await read(`${it}/cpu.max`)) ?? '').split(' ');
    return ratio(number(quota), number(period));
  });
  const own = await nearest(read, folders, 'memory.current');
  const stat = await nearest(read, folders, 'cpu.stat');
  return figures({
    memoryLimitBytes: lowest(await Promise.all(limits)),
    memoryHighBytes: lowest(await Promise.all(marks)),
    memoryUsageBytes: number(own),
    cpuLimitCores: lowest(await Promise.all(cpus)),
    cpuThrottledSeconds: scaled(statistic(stat, 'throttled_usec'), 1e-6),
  });
}

async function version1(read: Read, groups: ReadonlyMap<string, string>): Promise<CgroupFigures> {
  const memory = withParents('sys/fs/cgroup/memory', groups.get('memory') ?? '/');
  const cpu = withParents('sys/fs/cgroup/cpu', groups.get('cpu') ?? '/');
  const limits = memory.map(async (it) => number(await read(`${it}/memory.limit_in_bytes`)));
  const cpus = cpu.map(async (it) =>
    ratio(number(await read(`${it}/cpu.cfs_quota_us`)), number(await read(`${it}/cpu.cfs_period_us`))),
  );
  return figures({
    memoryLimitBytes: lowest(await Promise.all(limits)),
    memoryUsageBytes: number(await nearest(read, memory, 'memory.usage_in_bytes')),
    cpuLimitCores: lowest(await Promise.all(cpus)),
    cpuThrottledSeconds: scaled(statistic(await nearest(read, cpu, 'cpu.stat'), 'throttled_time'), 1e-9),
  });
}

/**
 * The group's folder and those above it. In a container the path may be the host's and not exist; then only the mount
 * itself answers, which is the container's group.
 */
function withParents(mount: string, path: string): string[] {
  const folders: string[] = [];
  for (let it = join('/', path); it !== '/'; it = dirname(it)) folders.push(join(mount, it));
  return [...folders, mount];
}

async function nearest(read: Read, folders: readonly string[], file: string): Promise<string | undefined> {
  for (const folder of folders) {
    const text = await read(`${folder}/${file}`);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** A limit or a count; undefined for `max`, -1, nothing, and what version 1 calls unlimited. */
function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value < UNLIMITED_FROM ? value : undefined;
}

function ratio(quota: number | undefined, period: number | undefined): number | undefined {
  return quota === undefined || !period ? undefined : quota / period;
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function statistic(text: string | undefined, name: string): number | undefined {
  const line = text?.split('\n').find((it) => it.startsWith(`${name} `));
  return number(line?.slice(name.length + 1));
}

function lowest(values: readonly (number | undefined)[]): number | undefined {
  const limits = values.filter((it) => it !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function figures(values: Partial<Record<keyof CgroupFigures, number | undefined>>): CgroupFigures {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
