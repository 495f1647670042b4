import TestSequencer from '@jest/test-sequencer';

/** What takes longest comes first, so that no worker has a long file left when the others have ended. */
const KINDS = ['.e2e-spec.ts', '.int-spec.ts', '.property.spec.ts'];

const rank = ({ path }) => {
  const at = KINDS.findIndex((it) => path.endsWith(it));
  return at < 0 ? KINDS.length : at;
};

/** Jest sorts by the durations of earlier runs. In a clean clone there are none: it would sort by size, which says little. */
export default class KindSequencer extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isKnown = sorted.some((it) => it.duration !== undefined);
    return isKnown ? sorted : sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
