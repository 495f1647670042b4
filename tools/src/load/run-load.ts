import { setTimeout as delay } from 'node:timers/promises';

import type { Arrival } from './arrivals.ts';
import { Recorder } from './recorder.ts';
import { RequestSender } from './request-sender.ts';
import type { Target } from './target.ts';

/** More unanswered requests than this are not sent but counted as errors. */
const MAX_IN_FLIGHT = 5_000;

/**
 * Sends each request when it is due, however many are unanswered, and measures from when it was due: what a stall of the
 * server, or of this process, cost those who came meanwhile is in the figures (no coordinated omission).
 *
 * @param signal aborted: no more requests; resolves with what was measured
 */
export async function runLoad(
  target: Target,
  arrivals: readonly Arrival[],
  signal: AbortSignal,
): Promise<Recorder> {
  const sender = new RequestSender(target);
  const recorder = new Recorder();
  const inFlight = new Set<Promise<void>>();
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const send = async ({ action, dueMs, choice }: Arrival): Promise<void> => {
    const outcome = await sender.send({ action, choice });
    recorder.record(action, dueMs, elapsed() - dueMs, outcome);
  };
  for (const arrival of arrivals) {
    const early = arrival.dueMs - elapsed();
    if (early > 0) await delay(early, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    recorder.recordLag(Math.max(0, elapsed() - arrival.dueMs));
    if (inFlight.size >= MAX_IN_FLIGHT) {
      recorder.record(arrival.action, arrival.dueMs, 0, 'not sent: too many unanswered');
      continue;
    }
    const sent: Promise<void> = send(arrival).finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  }
  await Promise.all(inFlight);
  sender.close();
  return recorder;
}
