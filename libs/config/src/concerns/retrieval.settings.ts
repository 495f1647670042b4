import { defineSettings, setting } from '../settings/define-settings.js';
import { wholeNumber } from '../settings/value-types.js';

/** Passages of files by vector, words and graph. */
export const retrievalSettings = defineSettings('Retrieval', {
  budgetMs: setting('RETRIEVAL_BUDGET_MS', wholeNumber(1, 600_000), {
    description:
      'After so many milliseconds a query that names no time of its own fetches nothing more, and its answer says so.',
    default: '5000',
  }),
  maxNeighbours: setting('RETRIEVAL_MAX_NEIGHBOURS', wholeNumber(1, 50_000), {
    description:
      'Edges that each hop from the seeds of a query follows at most; the answer says when there were more.',
    default: '5000',
  }),
  maxResidentChunks: setting('RETRIEVAL_MAX_RESIDENT_CHUNKS', wholeNumber(1, 100_000_000), {
    description:
      'Passages whose codes an api keeps in memory, of all workspaces together: about 100 bytes each.',
    default: '500000',
  }),
});
