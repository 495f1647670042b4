import { setTimeout as delay } from 'node:timers/promises';

import { UnexpectedAnswerError } from '../tools.errors.ts';
import type { MemorySample } from './memory-growth.ts';

/** A process whose figures are asked for. */
export interface WatchedProcess {
  readonly name: string;
  readonly url: string;
}

const INTERVAL_MS = 2_000;

/**
 * Asks every process for its memory until the signal is aborted.
 *
 * @returns the samples by process
 * @throws {UnexpectedAnswerError} a process does not show its memory
 */
export async function sampleMemory(
  processes: readonly WatchedProcess[],
  signal: AbortSignal,
): Promise<Map<string, MemorySample[]>> {
  const samples = new Map<string, MemorySample[]>(processes.map(({ name }) => [name, []]));
  const startedAt = performance.now();
  while (!signal.aborted) {
    for (const { name, url } of processes) {
      const seconds = (performance.now() - startedAt) / 1_000;
      samples.get(name)?.push({ seconds, ...(await readMemory(url)) });
    }
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return samples;
}

async function readMemory(url: string): Promise<Omit<MemorySample, 'seconds'>> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string) => new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(page)?.[1];
  const rss = figure('process_resident_memory_bytes');
  if (rss === undefined)
    throw new UnexpectedAnswerError(`${url}/metrics shows no process_resident_memory_bytes`);
  const heap = figure('nodejs_heap_live_bytes');
  return { rssBytes: Number(rss), heapBytes: heap === undefined ? null : Number(heap) };
}
