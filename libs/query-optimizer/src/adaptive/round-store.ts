import { type Ask } from '../execution/own-statements.js';
import { type AdaptiveRound } from './adaptive-round.js';
import { type AdaptiveTables } from './adaptive-tables.js';

/** What is written of a round beside its columns. */
type RoundDetails = Omit<AdaptiveRound, 'id' | 'mode' | 'outcome' | 'startedAt' | 'endedAt'>;

interface RoundRow extends Pick<AdaptiveRound, 'mode' | 'outcome' | 'startedAt' | 'endedAt'> {
  readonly id: string;
  readonly details: Partial<RoundDetails>;
}

/** So many candidates of a round are kept with their reasons. */
const KEPT_REJECTIONS = 500;

export const NOTHING_DONE: RoundDetails = Object.freeze({
  statements: 0,
  sources: [],
  recommended: [],
  kept: [],
  dropped: [],
  failed: [],
  reverted: [],
  rejected: [],
  statisticsAdvice: [],
  problems: [],
});

/** The table of rounds. Whoever writes holds the lock of the round. */
export class RoundStore {
  readonly #table: string;

  constructor(
    private readonly ask: Ask,
    { rounds }: AdaptiveTables,
  ) {
    this.#table = rounds;
  }

  /** @returns its id */
  async begin({ mode }: Pick<AdaptiveRound, 'mode'>): Promise<string> {
    // Nobody else holds the lock: what still runs by the table was killed.
    await this.ask(`UPDATE ${this.#table} SET outcome = 'failed', ended_at = now(),
                      details = '{"problems":[{"part":"tables","reason":"Its process ended before it did"}]}'
                     WHERE outcome = 'running'`);
    const [row] = await this.ask<{ id: string }>(
      `INSERT INTO ${this.#table} (mode, outcome) VALUES ($1, 'running') RETURNING id::text`,
      [mode],
    );
    return row?.id ?? '';
  }

  async end(id: string, { outcome, rejected, ...details }: Pick<AdaptiveRound, 'outcome'> & RoundDetails) {
    await this.ask(`UPDATE ${this.#table} SET outcome = $2, details = $3, ended_at = now() WHERE id = $1`, [
      id,
      outcome,
      JSON.stringify({ ...details, rejected: rejected.slice(0, KEPT_REJECTIONS) }),
    ]);
  }

  async list(limit: number): Promise<readonly AdaptiveRound[]> {
    const rows = await this.ask<RoundRow>(
      `SELECT id::text, mode, outcome, details, started_at AS "startedAt", ended_at AS "endedAt"
         FROM ${this.#table} ORDER BY id DESC LIMIT $1`,
      [limit],
    );
    return rows.map(({ details, ...row }) => ({ ...NOTHING_DONE, ...details, ...row }));
  }

  async prune(retentionDays: number): Promise<void> {
    await this.ask(`DELETE FROM ${this.#table} WHERE started_at < now() - make_interval(days => $1)`, [
      retentionDays,
    ]);
  }
}
