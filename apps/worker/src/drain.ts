import 'reflect-metadata';
import { PlatformModule, runJob } from '@peregrine/runtime';
import { TaskQueue } from '@peregrine/task-queue';
import { parseArgs } from 'node:util';
import { drainTasks } from './drain/drain-tasks.js';
import { DrainScreen } from './drain/drain-screen.js';

// What the command `npm run tasks:drain` starts; it has checked the numbers.
const { values } = parseArgs({
  options: { 'timeout-ms': { type: 'string' }, 'delayed-within-ms': { type: 'string' } },
});
const milliseconds = (text: string | undefined) => (text === undefined ? undefined : Number(text));

await runJob({
  name: 'tasks:drain',
  module: (settings) => PlatformModule.forRoot(settings, 'worker'),
  run: (app, signal) =>
    drainTasks(app.get(TaskQueue, { strict: false }), {
      screen: new DrainScreen(process.stdout),
      timeoutMs: milliseconds(values['timeout-ms']),
      delayedWithinMs: milliseconds(values['delayed-within-ms']),
      signal,
    }),
});
