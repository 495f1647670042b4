import { type Verdict } from '@peregrine/console';
import { cacheVerdict, cdnVerdict, queriesVerdict, retrievalVerdict } from './data-verdicts.js';
import { type Judged, SEVERITY } from './judged.js';
import { healthVerdict, memoryVerdict, poolVerdict, requestsVerdict } from './process-verdicts.js';
import { rateStoreVerdict, sheddingVerdict } from './protection-verdicts.js';
import { queueVerdict, waitsVerdict, workersVerdict } from './work-verdicts.js';

/** A judgement for each area, the worst first. */
export function judge(figures: Judged): Verdict[] {
  const verdicts = [
    requestsVerdict(figures),
    memoryVerdict(figures),
    sheddingVerdict(figures),
    rateStoreVerdict(figures),
    healthVerdict(figures),
    poolVerdict(figures),
    queueVerdict(figures),
    waitsVerdict(figures),
    workersVerdict(figures),
    cacheVerdict(figures),
    queriesVerdict(figures),
    retrievalVerdict(figures),
    cdnVerdict(figures),
  ];
  return verdicts.toSorted((a, b) => SEVERITY[b.level] - SEVERITY[a.level]);
}
