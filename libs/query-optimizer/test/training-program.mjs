// The program of the thread that trains, from the sources.
import './source-hooks.mjs';

await import('../src/plan-choice/training-worker.ts');
