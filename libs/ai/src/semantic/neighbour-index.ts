import { mayShareReply, type ReuseGuard } from './reuse-guard.js';

/** A question as it is compared with others. */
export interface Question {
  readonly tenant: string;
  /** Of its own reply in the cache. */
  readonly key: string;
  /** All of the request but the words of the question: only within one context questions are compared. */
  readonly context: string;
  /** Of length 1. */
  readonly vector: Float32Array;
  readonly guard: ReuseGuard;
}

/** A question whose reply may answer another one. */
export interface Neighbour {
  readonly key: string;
  /** Cosine of the angle between the embeddings. */
  readonly similarity: number;
}

export interface NeighbourIndexOptions {
  readonly maxTenants: number;
  readonly maxQuestionsPerTenant: number;
}

/**
 * The latest questions of this process, by tenant: nothing is ever compared across tenants. It holds keys, not replies, so that what is
 * gone from the cache is gone from here. A search looks at each question of the tenant.
 */
export class NeighbourIndex {
  /** Both levels in the order of their last use. */
  readonly #tenants = new Map<string, Map<string, Question>>();

  constructor(private readonly options: NeighbourIndexOptions) {}

  get size(): number {
    return [...this.#tenants.values()].reduce((sum, it) => sum + it.size, 0);
  }

  has(tenant: string, key: string): boolean {
    return this.#tenants.get(tenant)?.has(key) ?? false;
  }

  add(question: Question): void {
    const { tenant, key } = question;
    const questions = this.#tenants.get(tenant) ?? new Map<string, Question>();
    touch(this.#tenants, tenant, questions, this.options.maxTenants);
    touch(questions, key, question, this.options.maxQuestionsPerTenant);
  }

  remove(tenant: string, key: string): void {
    this.#tenants.get(tenant)?.delete(key);
  }

  /** The nearest question at or above the threshold that the guard lets pass. */
  nearest({ tenant, key, context, vector, guard }: Question, threshold: number): Neighbour | undefined {
    let best: Neighbour | undefined;
    for (const other of this.#tenants.get(tenant)?.values() ?? []) {
      if (other.context !== context || other.key === key) continue;
      const similarity = dot(vector, other.vector);
      if (similarity < (best?.similarity ?? threshold)) continue;
      if (mayShareReply(guard, other.guard)) best = { key: other.key, similarity };
    }
    return best;
  }
}

/** Undefined for a vector without direction: it is near to nothing. */
export function unitVector(vector: Float32Array): Float32Array | undefined {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 && Number.isFinite(length) ? vector.map((it) => it / length) : undefined;
}

/** Puts an entry last; the first goes when there are too many. */
function touch<V>(entries: Map<string, V>, key: string, value: V, max: number): void {
  entries.delete(key);
  entries.set(key, value);
  const [first] = entries.keys();
  if (entries.size > max && first !== undefined) entries.delete(first);
}

/** Of vectors of the same length: one index holds those of one model. */
function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}
