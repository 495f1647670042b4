import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition; the limit only turns a hang into a failure. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`the condition did not come true: ${condition.toString()}`);
    await delay(5);
  }
}
