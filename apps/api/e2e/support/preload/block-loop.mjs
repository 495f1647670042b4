// Loaded with --import into a built app: while the file BLOCK_FILE is there, the event loop is held up for a second and a
// half at a time, with turns between in which a probe is answered.
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setInterval } from 'node:timers';

const HOLD_MS = 1_500;

setInterval(() => {
  if (!existsSync(process.env.BLOCK_FILE ?? '')) return;
  const until = performance.now() + HOLD_MS;
  while (performance.now() < until);
}, 50).unref();
