import { type Ask } from '../execution/own-statements.js';
import { readReplica, usageKey } from '../index-analysis/index-usage.js';
import { type IndexLedger } from '../index-builder/index-ledger.js';
import { type RecommendationRow, type RecommendationStore } from './recommendation-store.js';

export interface IndexWatchInput {
  readonly ask: Ask;
  readonly store: RecommendationStore;
  readonly ledger: IndexLedger;
  /** Connection strings. */
  readonly replicas: readonly string[];
  readonly timeoutMs: number;
}

interface IndexUse {
  readonly id: string;
  /** Null when it is gone. */
  readonly definition: string | null;
  /** Of the index and its parts on partitions. */
  readonly scans: number;
  readonly parts: readonly (readonly [schema: string, name: string])[];
  readonly since: string | null;
}

const USE = `
  SELECT k.id, pg_get_indexdef(c.oid) AS definition, coalesce(u.scans, 0)::float8 AS scans, coalesce(u.parts, '[]') AS parts,
         (SELECT stats_reset::text FROM pg_stat_database WHERE datname = current_database()) AS since
    FROM unnest($1::text[], $2::text[], $3::text[]) AS k(id, schema, name)
    LEFT JOIN pg_namespace n ON n.nspname = k.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = k.name AND c.relkind IN ('i', 'I')
    LEFT JOIN LATERAL (
      SELECT sum(pg_stat_get_numscans(p.oid)) AS scans, json_agg(json_build_array(pn.nspname, p.relname)) AS parts
        FROM (SELECT c.oid AS relid UNION SELECT relid FROM pg_partition_tree(c.oid)) AS tree
        JOIN pg_class p ON p.oid = tree.relid JOIN pg_namespace pn ON pn.oid = p.relnamespace) AS u ON true`;

/** Looks after what was kept: whether it is still there, and whether anybody uses it. */
export class IndexWatch {
  constructor(private readonly input: IndexWatchInput) {}

  /** @returns why the use could not be told @throws the driver's error */
  async run(): Promise<readonly string[]> {
    const { ask, store, ledger } = this.input;
    const kept = await store.rows(['kept']);
    if (kept.length === 0) return [];
    const entries = await ledger.latestOf(kept.map((it) => it.id));
    const definitions = new Map(entries.map((it) => [it.recommendation, it.definition]));
    const uses = await ask<IndexUse>(USE, [
      kept.map((it) => it.id),
      kept.map((it) => it.plan.table.schema),
      kept.map((it) => it.plan.indexName),
    ]);
    const byId = new Map(uses.map((it) => [it.id, it]));
    const there: [RecommendationRow, IndexUse][] = [];
    for (const row of kept) {
      const use = byId.get(row.id);
      if (use?.definition != null && use.definition === definitions.get(row.id)) there.push([row, use]);
      else await this.#gone(row, use?.definition != null);
    }
    return this.#count(there);
  }

  async #gone({ id }: RecommendationRow, isReplaced: boolean): Promise<void> {
    const decision = isReplaced
      ? 'Another index has its name by now, which is left alone'
      : 'Somebody has dropped it';
    await this.input.store.decide(id, { state: 'obsolete', decision });
  }

  async #count(kept: readonly (readonly [RecommendationRow, IndexUse])[]): Promise<readonly string[]> {
    const { replicas, timeoutMs, store } = this.input;
    const answers = await Promise.all(replicas.map((it) => readReplica(it, timeoutMs)));
    const problems = answers.flatMap((it, index) =>
      typeof it === 'string' ? [`replica ${index + 1}: ${it}; nothing is judged to be unused`] : [],
    );
    if (problems.length > 0) return problems;
    for (const [{ id, watched }, { scans: here, since, parts }] of kept) {
      const elsewhere = answers.flatMap((it) =>
        typeof it === 'string'
          ? []
          : parts.map(([schema, name]) => it.scans.get(usageKey(schema, name)) ?? 0),
      );
      const scans = elsewhere.reduce((sum, it) => sum + it, here);
      // Counters that began anew may hide uses.
      const isUsed = watched === null || watched.scans !== scans || watched.since !== since;
      await store.watched(id, { scans, since }, isUsed);
    }
    return [];
  }
}
