import { defineSettings, setting } from '../settings/define-settings.js';
import { oneOf, trueOrFalse, wholeNumber } from '../settings/value-types.js';

/** Memories of agents. */
export const memoriesSettings = defineSettings('Memories', {
  maxContentBytes: setting('MEMORIES_MAX_CONTENT_BYTES', wholeNumber(1, 500_000), {
    description: 'A longer memory is refused, bytes in UTF-8.',
    default: '65536',
  }),
  maxBatch: setting('MEMORIES_MAX_BATCH', wholeNumber(1, 1_000), {
    description: 'Most memories that one request adds.',
    default: '500',
  }),
  vectorIndex: setting('MEMORIES_VECTOR_INDEX', oneOf(['auto', 'sign-codes', 'pgvector']), {
    description:
      'How vectors are searched: auto takes pgvector where the migrations found it, else sign codes.',
    default: 'auto',
  }),
  embedDeadlineMs: setting('MEMORIES_EMBED_DEADLINE_MS', wholeNumber(1, 60_000), {
    description: 'A query waits so long for its embedding, milliseconds; then it is answered by words alone.',
    default: '150',
  }),
  consolidation: setting('MEMORIES_CONSOLIDATION', trueOrFalse(), {
    description: 'Whether memories that say the same are merged into a summary that can be undone.',
    default: 'true',
  }),
});
