import { constants } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type PageFamily } from '../exposition/page-family.js';
import { GcInstruments } from './gc-instruments.js';
import { ProcessInstruments } from './process-instruments.js';

const open: { stop(): void }[] = [];
afterEach(() => open.splice(0).forEach((it) => it.stop()));

const lines = ({ groups }: PageFamily) => [...groups].flat();

describe('ProcessInstruments', () => {
  it('has each figure once: loop, memory, heap by space, descriptors, garbage collection', async () => {
    const loop = { lagMeanMs: 1, lagP99Ms: 20, lagMaxMs: 300, utilization: 0.25 };
    const instruments = new ProcessInstruments(() => loop);
    open.push(instruments);
    const families = new Map((await instruments.families()).map((it) => [it.name, it]));
    const valueOf = (name: string) => lines(families.get(name) as PageFamily)[0]?.value;

    expect([...families.keys()]).toHaveLength((await instruments.families()).length);
    expect(valueOf('nodejs_eventloop_delay_mean_seconds')).toBe(0.001);
    expect(valueOf('nodejs_eventloop_delay_p99_seconds')).toBe(0.02);
    expect(valueOf('nodejs_eventloop_delay_max_seconds')).toBe(0.3);
    expect(valueOf('nodejs_eventloop_utilization_ratio')).toBe(0.25);
    expect(valueOf('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(valueOf('nodejs_heap_size_limit_bytes')).toBeGreaterThan(0);
    const spaces = lines(families.get('nodejs_heap_space_size_used_bytes') as PageFamily);
    expect(spaces.map((it) => it.labels['space'])).toEqual(expect.arrayContaining(['old', 'new']));
    expect([...families.keys()]).toEqual(
      expect.arrayContaining([
        'nodejs_eventloop_time_seconds_total',
        'nodejs_gc_duration_seconds',
        'process_cpu_seconds_total',
      ]),
    );
  });
});

describe('GcInstruments', () => {
  it('counts pauses by kind and leaves out kinds that it does not know', () => {
    const gc = new GcInstruments();
    open.push(gc);
    // What the real collector does meanwhile comes by an observer, which gets its turn after this.
    gc.observe(constants.NODE_PERFORMANCE_GC_MAJOR, 0.02);
    gc.observe(constants.NODE_PERFORMANCE_GC_MAJOR, 7);
    gc.observe(0, 1);
    const all = lines(gc.family());
    expect(new Set(all.map((it) => it.labels['kind']))).toEqual(new Set(['major']));
    expect(all.filter((it) => it.suffix !== '_bucket').map((it) => it.value)).toEqual([7.02, 2]);
    expect(all.find((it) => it.le === '0.05')?.value).toBe(1);
  });
});
