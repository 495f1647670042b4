import { type IndexLedger, type LedgerEntry } from '../index-builder/index-ledger.js';
import { type Decision, type RecommendationRow, type RecommendationStore } from './recommendation-store.js';

/**
 * Makes recommendations say what the ledger says: a process that was killed could not, and people build and revert from the
 * command line. Whoever calls holds the lock, so nothing is being applied.
 *
 * @throws the driver's error
 */
export async function followLedger(store: RecommendationStore, ledger: IndexLedger): Promise<void> {
  const rows = await store.rows();
  const entries = await ledger.latestOf(rows.map((it) => it.id));
  const latest = new Map(entries.map((it) => [it.recommendation, it]));
  for (const row of rows) {
    const decision = decisionOf(row, latest.get(row.id));
    if (decision) await store.decide(row.id, decision);
  }
}

function decisionOf(row: RecommendationRow, entry: LedgerEntry | undefined): Decision | undefined {
  if (entry && isNews(row, entry)) return decisionBy(entry);
  if (row.state !== 'applied') return undefined;
  return { state: 'open', decision: 'The process that was to build it has ended before it did' };
}

function isNews({ state, ledgerId }: RecommendationRow, entry: LedgerEntry): boolean {
  if (!['kept', 'dropped', 'reverted'].includes(entry.status)) return false;
  return ledgerId !== entry.id || (state === 'kept' && entry.status === 'reverted');
}

/** What an entry means for its recommendation. */
export function decisionBy({ id, status, decision, sizeBytes, endedAt }: LedgerEntry): Decision {
  // What is half built and could not be dropped: the next round clears up, and then it is to be built again.
  const state = status === 'building' ? 'failed' : status;
  return { state, decision, ledgerId: id, sizeBytes, decidedAt: endedAt };
}
