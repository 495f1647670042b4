import {
  type AdaptiveRound,
  type LedgerEntry,
  type RejectedCandidate,
  type StoredRecommendation,
} from '@peregrine/query-optimizer';

/** Quoted names are left as they are; strings are constants of somebody's statement. */
const NAME_OR_STRING = /"(?:[^"]|"")*"|(?:\b[eEbBxX])?'(?:[^']|'')*'/g;

const withoutConstants = (sql: string) =>
  sql.replaceAll(NAME_OR_STRING, (it) => (it.startsWith('"') ? it : `'…'`));

export function describeRecommendation({
  plan,
  serves: _serves,
  ledgerId: _ledgerId,
  ...rest
}: StoredRecommendation) {
  const { table, indexName, method, keys, included, predicate } = plan;
  return { ...rest, table, indexName, method, keys, included, predicate };
}

export function describeDetail(recommendation: StoredRecommendation, entry: LedgerEntry | undefined) {
  return {
    ...describeRecommendation(recommendation),
    serves: recommendation.serves.map(({ statement, ...rest }) => ({ fingerprint: statement, ...rest })),
    trial: entry ? describeTrial(entry) : null,
  };
}

function describeTrial({ id, status, decision, actor, ...rest }: LedgerEntry) {
  const { sizeBytes, buildMs, startedAt, endedAt, measurements } = rest;
  return { ledgerId: id, status, decision, actor, sizeBytes, buildMs, startedAt, endedAt, measurements };
}

export function describeRejected({ candidate, table, code, reason }: RejectedCandidate) {
  return { candidate: withoutConstants(candidate), table, code, reason };
}

export function describeRound(round: AdaptiveRound) {
  const { startedAt, endedAt, outcome, statements, sources, problems, statisticsAdvice } = round;
  return { startedAt, endedAt, outcome, statements, sources, problems, statisticsAdvice };
}
