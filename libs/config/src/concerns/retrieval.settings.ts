import { defineSettings, setting } from '../settings/define-settings.js';
import { share, trueOrFalse, wholeNumber } from '../settings/value-types.js';

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
  maxVectorBytes: setting('RETRIEVAL_MAX_VECTOR_BYTES', wholeNumber(1, 68_719_476_736), {
    description: 'Bytes of embeddings that an api keeps in memory, of all workspaces together.',
    default: '67108864',
  }),
  chooserEnabled: setting('RETRIEVAL_CHOOSER_ENABLED', trueOrFalse(), {
    description:
      'Whether plans are chosen by what they have taken; false: by a fixed rule. Recall does not depend on it.',
    default: 'true',
  }),
  calibrationShare: setting('RETRIEVAL_CALIBRATION_SHARE', share(), {
    description:
      'Share of the queries that are answered again exactly in the background, so that the recall that was promised is known to be kept.',
    default: '0.01',
  }),
});
