import { Session } from 'node:inspector/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';
import { type ProfileKind } from './profile.js';

export interface CaptureOptions {
  /** Of a snapshot none: it is of one moment. */
  readonly seconds: number;
  /** Aborted: ends at once, with what there is. */
  readonly signal: AbortSignal;
}

/** Microseconds between two looks at the stack: a fiftieth of the CPU or less. */
const CPU_INTERVAL_US = 1_000;
/** Bytes between two allocations that are noted, on average; V8's own default is 32 KiB. */
const HEAP_INTERVAL_BYTES = 65_536;

/** Profiles this very process with the inspector's own protocol; no port is opened. */
export async function capture(kind: ProfileKind, options: CaptureOptions): Promise<Readable> {
  if (kind === 'snapshot') return getHeapSnapshot();
  const session = new Session();
  session.connect();
  try {
    const profile = await (kind === 'cpu' ? captureCpu(session, options) : captureHeap(session, options));
    return Readable.from([JSON.stringify(profile)]);
  } finally {
    session.disconnect();
  }
}

async function captureCpu(session: Session, options: CaptureOptions): Promise<object> {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US });
  await session.post('Profiler.start');
  await wait(options);
  return (await session.post('Profiler.stop')).profile;
}

async function captureHeap(session: Session, options: CaptureOptions): Promise<object> {
  await session.post('HeapProfiler.enable');
  await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
  await wait(options);
  return (await session.post('HeapProfiler.stopSampling')).profile;
}

async function wait({ seconds, signal }: CaptureOptions): Promise<void> {
  // Ends early when the process stops.
  await delay(seconds * 1_000, undefined, { signal, ref: false }).catch(() => undefined);
}
