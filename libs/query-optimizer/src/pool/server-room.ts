import { type Client } from 'pg';

/**
 * How many connections the server has for this pool: what is not taken by others, not reserved for superusers, and
 * not left free on purpose. Asked on a connection that is being opened anyway, so it costs no connection.
 */
const ROOM = `
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true)::int, 0) AS places,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken`;

/** An answer is good for this long, milliseconds: others come and go. */
const FRESH_MS = 2_000;

/** After this it is tried again, milliseconds. */
const STALE_MS = 5_000;

/** The pool's share of the server. */
export class ServerRoom {
  #free: number;
  #askedAt = -Infinity;
  #answeredAt = -Infinity;
  #ceiling = Infinity;
  #refusedAt = -Infinity;

  constructor(
    private readonly max: number,
    private readonly headroom: number,
  ) {
    this.#free = max;
  }

  /** What the pool may grow to. An old answer, or an old refusal, keeps it from nothing. */
  get capacity(): number {
    // Asked for each statement: where nothing is in the way, no clock has to be.
    if (this.#free >= this.max && this.#ceiling >= this.max) return Math.max(1, this.max);
    const now = performance.now();
    const asked = this.isKnown ? this.#free : this.max;
    const ceiling = now - this.#refusedAt < STALE_MS ? this.#ceiling : this.max;
    return Math.max(1, Math.min(this.max, asked, ceiling));
  }

  /** Whether the server has told of late. Before, one connection too many may be the last that it has. */
  get isKnown(): boolean {
    return performance.now() - this.#answeredAt < STALE_MS;
  }

  isDue(now: number): boolean {
    return now - this.#askedAt >= FRESH_MS;
  }

  /** @param ours connections of the pool, that of the client included */
  async ask(client: Client, ours: number, now: number): Promise<void> {
    this.#askedAt = now;
    const { rows } = await client.query<{ places: number; taken: number }>(ROOM);
    const { places = this.max, taken = 0 } = rows[0] ?? {};
    this.#free = ours + places - taken - this.headroom;
    this.#answeredAt = now;
  }

  /** The server had no place for another one; a limit of the role or of the database is not in its figures. */
  refused(ours: number): void {
    this.#refusedAt = performance.now();
    this.#ceiling = ours;
  }

  /** It had a place for one that was asked for at the same time. */
  granted(ours: number): void {
    this.#ceiling = Math.max(this.#ceiling, ours);
  }
}
