import { type Dashboard, panel, percentilesPanel } from '../dashboard.ts';

export const RETRIEVAL: Dashboard = {
  id: 'peregrine-retrieval',
  title: 'Peregrine: retrieval',
  panels: [
    percentilesPanel('Time of answers', 'retrieval_query_duration_seconds'),
    panel(
      'Answers by certainty',
      'ops',
      'sum by (status) (rate(retrieval_queries_total[$__rate_interval]))',
      '{{status}}',
    ),
    panel(
      'Answers by plan',
      'ops',
      'sum by (plan) (rate(retrieval_queries_total[$__rate_interval]))',
      '{{plan}}',
    ),
    panel(
      'Why the plan',
      'ops',
      'sum by (reason) (rate(retrieval_queries_total[$__rate_interval]))',
      '{{reason}}',
    ),
    {
      title: 'Certainty (z)',
      unit: 'short',
      description:
        'What answers are certified at, by embedding model; half and a twentieth of the answers had less.',
      queries: [
        { expression: 'max by (embedder) (retrieval_calibrated_certainty)', legend: '{{embedder}}' },
        ...[0.5, 0.05].map((share) => ({
          expression: `histogram_quantile(${share}, sum by (le) (rate(retrieval_certainty_deviations_bucket[$__rate_interval])))`,
          legend: `of answers, p${share * 100}`,
        })),
      ],
    },
    {
      title: 'Answers compared with the exact one',
      unit: 'ops',
      description: 'failed: certified, and under the floor. RetrievalUnderFloor tells of it.',
      queries: [
        {
          expression: 'sum by (outcome) (rate(retrieval_shadow_queries_total[$__rate_interval]))',
          legend: '{{outcome}}',
        },
      ],
    },
    {
      title: 'Regret and exploration, share of the time',
      unit: 'percentunit',
      description: 'By how much the best plan was predicted to be faster, and what trying others has cost.',
      queries: [
        {
          expression:
            'sum(rate(db_planner_regret_seconds_total[$__rate_interval])) / sum(rate(db_planner_run_seconds_total[$__rate_interval]))',
          legend: 'regret',
        },
        {
          expression:
            'sum(rate(db_planner_exploration_seconds_total[$__rate_interval])) / sum(rate(db_planner_run_seconds_total[$__rate_interval]))',
          legend: 'exploration',
        },
      ],
    },
    panel('Drift of predictions, alarm at 8', 'short', 'max by (plan) (db_planner_drift)', '{{plan}}'),
    {
      title: 'Embeddings of an answer',
      unit: 'short',
      queries: [
        {
          expression:
            'sum(rate(retrieval_embeddings_compared_sum[$__rate_interval])) / sum(rate(retrieval_embeddings_compared_count[$__rate_interval]))',
          legend: 'compared',
        },
        {
          expression:
            'sum(rate(retrieval_embeddings_read_total[$__rate_interval])) / sum(rate(retrieval_embeddings_compared_count[$__rate_interval]))',
          legend: 'sent by PostgreSQL',
        },
      ],
    },
    {
      title: 'In memory',
      unit: 'bytes',
      queries: [
        { expression: 'sum by (instance) (retrieval_resident_bytes)', legend: '{{instance}} codes' },
        { expression: 'sum by (instance) (retrieval_kept_vector_bytes)', legend: '{{instance}} embeddings' },
      ],
    },
  ],
};
