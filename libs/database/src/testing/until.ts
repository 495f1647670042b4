import { setTimeout as pause } from 'node:timers/promises';

/** Waits until the condition holds; the test's own time limit ends what never does. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(10);
}
