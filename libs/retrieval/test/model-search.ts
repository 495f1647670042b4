import { cutOff } from '../src/certificate/certificate.js';
import { type ExactAnswer, type ExactMember } from '../src/certificate/needed-certainty.js';

/** Chunks as one query sees them, best first. */
export interface ModelCorpus {
  readonly members: readonly ExactMember[];
  readonly limit: number;
}

/** What a search holds that has fetched what the cut-off of its own worst score asks for, from few chunks at first. */
export function search({ members, limit }: ModelCorpus, z: number): readonly ExactMember[] {
  let found = members.toSorted((a, b) => a.distance - b.distance).slice(0, limit);
  for (;;) {
    const kept = new Set(found);
    const best = members.filter((it) => kept.has(it)).slice(0, limit);
    const worst = best[limit - 1]?.score ?? -Infinity;
    const reached = members.filter((it) => it.distance <= cutOff(worst - it.bonus, z) || kept.has(it));
    if (reached.length === found.length) return best;
    found = reached;
  }
}

/** The exact answer, with what is as good as its worst. */
export const exactOf = ({ members, limit }: ModelCorpus): ExactAnswer => ({
  members: members.filter((it) => it.score >= (members[limit - 1]?.score ?? -Infinity)),
  limit,
});
