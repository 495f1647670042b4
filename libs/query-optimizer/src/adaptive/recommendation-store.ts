import { type Ask } from '../execution/own-statements.js';
import { type AdaptiveTables } from './adaptive-tables.js';
import { type RecommendationState, type StoredRecommendation } from './stored-recommendation.js';

/** What a round learns of how often a kept index is used. */
export interface Watched {
  readonly scans: number;
  /** From when the server counts them. */
  readonly since: string | null;
}

/** As a row: with what only rounds look at. */
export interface RecommendationRow extends StoredRecommendation {
  readonly watched: Watched | null;
}

/** What a round recommends, for its row. */
export type RecommendationFigures = Pick<
  StoredRecommendation,
  | 'id'
  | 'plan'
  | 'statement'
  | 'reasons'
  | 'improvement'
  | 'sizeBytes'
  | 'buildMsEstimate'
  | 'writeCost'
  | 'serves'
>;

export interface Decision {
  readonly state: RecommendationState;
  readonly decision: string | null;
  readonly ledgerId?: string;
  /** Measured. */
  readonly sizeBytes?: number | null;
  /** @default now */
  readonly decidedAt?: Date | null;
}

const COLUMNS = `id, state, plan, statement, reasons, improvement, size_bytes AS "sizeBytes",
  build_ms_estimate AS "buildMsEstimate", write_cost AS "writeCost", serves, decision, decided_at AS "decidedAt",
  revert_proposal AS "revertProposal", used_at AS "usedAt", ledger_id::text AS "ledgerId",
  first_seen_at AS "firstSeenAt", last_seen_at AS "lastSeenAt"`;
/** Those that something can be done about first. */
const STATES: readonly RecommendationState[] = [
  'open',
  'applied',
  'kept',
  'failed',
  'dropped',
  'reverted',
  'obsolete',
];

/** The table of recommendations. Whoever writes holds the lock of the round. */
export class RecommendationStore {
  readonly #table: string;

  constructor(
    private readonly ask: Ask,
    { recommendations }: AdaptiveTables,
  ) {
    this.#table = recommendations;
  }

  async exists(): Promise<boolean> {
    const [row] = await this.ask<{ isThere: boolean }>('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [
      this.#table,
    ]);
    return row?.isThere === true;
  }

  /** Those that something can be done about first, then by use. */
  list(states: readonly RecommendationState[] = STATES): Promise<readonly StoredRecommendation[]> {
    return this.ask<StoredRecommendation>(
      `SELECT ${COLUMNS} FROM ${this.#table} WHERE state = ANY($1)
        ORDER BY array_position($2::text[], state), rank, last_seen_at DESC, id`,
      [states, STATES],
    );
  }

  rows(states: readonly RecommendationState[] = STATES): Promise<readonly RecommendationRow[]> {
    return this.ask<RecommendationRow>(
      `SELECT ${COLUMNS}, watched FROM ${this.#table} WHERE state = ANY($1) ORDER BY rank, id`,
      [states],
    );
  }

  async find(id: string): Promise<StoredRecommendation | undefined> {
    const [found] = await this.ask<StoredRecommendation>(
      `SELECT ${COLUMNS} FROM ${this.#table} WHERE id = $1`,
      [id],
    );
    return found;
  }

  /** A new one, or new figures of one that is open again. @param rank its place in the advice, from 0 */
  async open(figures: RecommendationFigures, rank: number, decision: string | null): Promise<void> {
    const { id, plan, statement, reasons, improvement, sizeBytes, buildMsEstimate, writeCost, serves } =
      figures;
    const json = [plan, reasons, improvement, writeCost, serves].map((it) => JSON.stringify(it));
    await this.ask(
      `INSERT INTO ${this.#table} (id, state, statement, size_bytes, build_ms_estimate, rank, decision, decided_at,
         plan, reasons, improvement, write_cost, serves)
       VALUES ($1, 'open', $2, $3, $4, $5, $6::text, CASE WHEN $6::text IS NULL THEN NULL ELSE now() END,
         $7, $8, $9, $10, $11)
       ON CONFLICT (id) DO UPDATE SET state = 'open', statement = excluded.statement,
         size_bytes = excluded.size_bytes, build_ms_estimate = excluded.build_ms_estimate, rank = excluded.rank,
         decision = excluded.decision, decided_at = excluded.decided_at, plan = excluded.plan,
         reasons = excluded.reasons, improvement = excluded.improvement, write_cost = excluded.write_cost,
         serves = excluded.serves, revert_proposal = NULL, used_at = NULL, watched = NULL, last_seen_at = now()`,
      [id, statement, sizeBytes, buildMsEstimate, rank, decision, ...json],
    );
  }

  /** It was recommended again, which changes nothing. */
  async seen(id: string): Promise<void> {
    await this.ask(`UPDATE ${this.#table} SET last_seen_at = now() WHERE id = $1`, [id]);
  }

  async decide(id: string, { state, decision, ledgerId, sizeBytes, decidedAt }: Decision): Promise<void> {
    await this.ask(
      `UPDATE ${this.#table} SET state = $2::text, decision = $3, decided_at = coalesce($6::timestamptz, now()), ledger_id = coalesce($4::bigint, ledger_id),
              size_bytes = coalesce($5::float8, size_bytes), revert_proposal = NULL,
              used_at = CASE WHEN $2::text = 'kept' THEN now() ELSE used_at END, watched = NULL
        WHERE id = $1`,
      [id, state, decision, ledgerId ?? null, sizeBytes ?? null, decidedAt ?? null],
    );
  }

  /** How often a kept one was used. @param isUsed since the last look */
  async watched(id: string, watched: Watched, isUsed: boolean): Promise<void> {
    await this.ask(
      `UPDATE ${this.#table} SET watched = $2, used_at = CASE WHEN $3::boolean THEN now() ELSE used_at END,
              revert_proposal = CASE WHEN $3::boolean THEN NULL ELSE revert_proposal END
        WHERE id = $1`,
      [id, JSON.stringify(watched), isUsed],
    );
  }

  /** Kept ones that were not used for so long get the proposal. @returns those that have it now */
  async proposeReverts(unusedAfterDays: number): Promise<readonly StoredRecommendation[]> {
    await this.ask(
      `UPDATE ${this.#table} SET revert_proposal = 'Not used since ' || to_char(used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        WHERE state = 'kept' AND used_at < now() - make_interval(days => $1)`,
      [unusedAfterDays],
    );
    const kept = await this.list(['kept']);
    return kept.filter((it) => it.revertProposal !== null);
  }

  /** Open ones that a whole round did not recommend any more. @param schemas that it looked after; none: all */
  async retire(recommended: readonly string[], schemas: readonly string[]): Promise<void> {
    await this.ask(
      `UPDATE ${this.#table} SET state = 'obsolete', decision = 'The workload does not ask for it any more', decided_at = now()
        WHERE state IN ('open', 'failed') AND NOT id = ANY($1)
          AND (cardinality($2::text[]) = 0 OR plan->'table'->>'schema' = ANY($2))`,
      [recommended, schemas],
    );
  }

  /** What nobody asks for any more, and nothing was ever built of, is forgotten. */
  async prune(retentionDays: number): Promise<void> {
    await this.ask(
      `DELETE FROM ${this.#table}
        WHERE state = 'obsolete' AND last_seen_at < now() - make_interval(days => $1)`,
      [retentionDays],
    );
  }

  async counts(): Promise<Readonly<Record<RecommendationState, number>>> {
    const rows = await this.ask<{ state: RecommendationState; count: number }>(
      `SELECT state, count(*)::int AS count FROM ${this.#table} GROUP BY state`,
    );
    const found = new Map(rows.map((it) => [it.state, it.count]));
    return Object.fromEntries(STATES.map((it) => [it, found.get(it) ?? 0])) as Record<
      RecommendationState,
      number
    >;
  }
}
