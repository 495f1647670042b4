// Fills the heap until V8 ends the process; prints how full it is, MiB, after each step.
import { writeSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

const kept = [];
for (;;) {
  kept.push(new Array(32_768).fill(1.5));
  writeSync(1, `${getHeapStatistics().used_heap_size / 1_048_576}\n`);
}
