import { Injectable } from '@nestjs/common';
import { type MetricFamily, type MetricSample } from '@peregrine/query-optimizer';
import { ResidentCodes } from '../codes/resident-codes.service.js';
import { SampleProbe } from '../probe/sample-probe.service.js';
import { type RetrievalExplanation } from '../querying/retrieval-answer.js';
import { VectorCache } from '../vectors/vector-cache.js';
import { Histogram } from './histogram.js';

const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DEVIATIONS = [-2, 0, 1, 2, 2.5, 3, 3.5, 4, 5, 6];
const EMBEDDINGS = [10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000];

/** What the queries of this process came to. A `MetricSource`: `name` and `collect()`. */
@Injectable()
export class RetrievalMetrics {
  readonly name = 'retrieval';
  readonly #answers = new Map<string, { readonly labels: Record<string, string>; count: number }>();
  readonly #givenUp = new Map<string, number>();
  readonly #durations = new Histogram(DURATION_SECONDS);
  readonly #deviations = new Histogram(DEVIATIONS);
  readonly #compared = new Histogram(EMBEDDINGS);
  #escalated = 0;
  #read = 0;

  constructor(
    private readonly resident: ResidentCodes,
    private readonly vectors: VectorCache,
    private readonly probe: SampleProbe,
  ) {}

  record(explanation: RetrievalExplanation, durationMs: number): void {
    const { plan, status, reason, z, escalated, compared, read, givenUp } = explanation;
    const key = `${plan} ${status} ${reason}`;
    const known = this.#answers.get(key) ?? { labels: { plan, status, reason }, count: 0 };
    known.count++;
    this.#answers.set(key, known);
    if (givenUp) this.#givenUp.set(givenUp, (this.#givenUp.get(givenUp) ?? 0) + 1);
    this.#durations.add(durationMs / 1_000);
    this.#compared.add(compared);
    if (z !== null) this.#deviations.add(z);
    if (escalated) this.#escalated++;
    this.#read += read;
  }

  collect(): MetricFamily[] {
    const answers = [...this.#answers.values()].map(({ labels, count }) => ({ labels, value: count }));
    const givenUp = [...this.#givenUp].map(([plan, value]) => ({ labels: { plan }, value }));
    const codes = this.resident.figures;
    const vectors = this.vectors.figures;
    return [
      counter('retrieval_queries_total', 'Answers by plan, certainty and reason of the plan', answers),
      counter('retrieval_plans_given_up_total', 'Plans that took much longer than predicted', givenUp),
      counter('retrieval_escalated_total', 'Plans after which more was fetched', one(this.#escalated)),
      counter('retrieval_embeddings_read_total', 'Embeddings that PostgreSQL sent', one(this.#read)),
      counter('retrieval_samples_drawn_total', 'Samples for the choice of plans', one(this.probe.drawn)),
      this.#durations.family('retrieval_query_duration_seconds', 'Time of answers'),
      this.#deviations.family('retrieval_certainty_deviations', 'z of the answers that were not complete'),
      this.#compared.family('retrieval_embeddings_compared', 'Embeddings that an answer compared'),
      gauge('retrieval_resident_chunks', 'Chunks whose codes are in memory', codes.chunks),
      gauge('retrieval_resident_bytes', 'Of these codes', codes.sizeBytes),
      gauge('retrieval_kept_vectors', 'Embeddings in memory', vectors.vectors),
      gauge('retrieval_kept_vector_bytes', 'Of these embeddings', vectors.sizeBytes),
    ];
  }
}

function one(value: number): MetricSample[] {
  return [{ value }];
}

function counter(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: one(value) };
}
