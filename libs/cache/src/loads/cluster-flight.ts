import type { EntryStore } from '../entry-store.js';
import type { Below } from '../target.js';
import type { Lease } from '../redis/redis-tier.js';
import type { Tiers } from '../tiers.js';
import type { Flight } from './flight.js';
import type { Settings } from './settings.js';

const FIRST_POLL_MS = 5;
const LONGEST_POLL_MS = 25;

/**
 * Looks below memory. With single flight in the cluster it waits while another process holds the lease: until its value is
 * there, or the lease is free, or Redis gives no answer any more. A refresh, and a caller who is served the stale value, do
 * not wait for it.
 * @param freshMs fresh time that a refresh is not content with, milliseconds; undefined when this is none
 */
export async function lookBelow(
  store: EntryStore,
  { target, controller }: Flight,
  settings: Settings,
  freshMs: number | undefined,
): Promise<Below> {
  const options = { leaseMs: settings.clusterLeaseMs, refreshMs: Math.max(0, 2 * (freshMs ?? 0)) };
  let below = await store.read(target, settings, options);
  const waits = ({ lease, found }: Below) => {
    if (lease !== 'held') return false;
    const age = found === undefined ? Infinity : store.tiers.clock.now() - found.freshUntil;
    return freshMs === undefined && age >= settings.staleWhileRevalidateMs;
  };
  if (!waits(below)) return below;
  store.counters.leaseWaits++;
  for (let pollMs = FIRST_POLL_MS; waits(below); pollMs = Math.min(2 * pollMs, LONGEST_POLL_MS)) {
    await pause(store.tiers, pollMs, controller.signal);
    below = await store.read(target, settings, options);
  }
  if (below.found !== undefined) store.counters.clusterCoalesced++;
  return below;
}

/** Keeps a lease alive while its load runs. Returns what ends it. */
export function renewing(lease: Lease, tiers: Tiers): () => void {
  const { clock } = tiers;
  let timer = clock.setTimeout(renew, lease.leaseMs / 3);
  function renew(): void {
    timer = clock.setTimeout(renew, lease.leaseMs / 3);
    // A lease that is lost shows when the value is stored: the write is refused.
    void tiers.redis?.renewLease(lease);
  }
  return () => clock.clearTimeout(timer);
}

/** @throws the reason of the signal. */
async function pause({ clock }: Tiers, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
