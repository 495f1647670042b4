import type { Alert } from '../alert.ts';

export const RETRIEVAL_ALERTS: readonly Alert[] = [
  {
    name: 'RetrievalUnderFloor',
    field: 'retrieval',
    severity: 'warning',
    forMinutes: 0,
    windowMinutes: 15,
    expression: 'sum by (embedder) (increase(retrieval_shadow_queries_total{outcome="failed"}[$window])) > 0',
    summary: 'Answers of {{ $labels.embedder }} were under the recall that they promised',
    description:
      'Certified answers were compared with the exact ones, and missed more than their floor allows. What answers must be certain by was raised at once.',
  },
  {
    name: 'RetrievalUncertified',
    field: 'retrieval',
    severity: 'warning',
    forMinutes: 10,
    windowMinutes: 10,
    expression: `sum by (job) (rate(retrieval_queries_total{status="uncertified"}[$window]))
  / sum by (job) (rate(retrieval_queries_total[$window])) > 0.2
and sum by (job) (increase(retrieval_queries_total[$window])) >= 100`,
    summary: '{{ $value | humanizePercentage }} of the answers of retrieval say nothing of their recall',
    description:
      'Their time was up before enough was compared. They say so, and are the best that was found.',
  },
];
