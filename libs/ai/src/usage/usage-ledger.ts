import { Logger } from '@nestjs/common';
import { type DataSource } from 'typeorm';
import { type AiResultKind } from '../keys/ttl-policies.js';
import { dayOf } from './price-table.js';
import { type UsageEvent, type UsageOutcome, type UsageSink } from './usage-event.js';

const FLUSH_INTERVAL_MS = 5_000;

/** What is counted together. */
export interface UsageRow {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string;
  readonly kind: AiResultKind;
  readonly model: string;
  readonly outcome: UsageOutcome;
  results: number;
  promptTokens: number;
  cachedPromptTokens: number;
  completionTokens: number;
  suspects: number;
}

/**
 * Counts results and their tokens by day, kind, model and way. Tokens are kept, not money: what they were worth follows from the prices,
 * also when those are put right later. Each process adds what it has counted to the rows of all every five seconds and at its
 * end; one that is killed loses at most that.
 */
export class UsageLedger implements UsageSink {
  readonly #log = new Logger(UsageLedger.name);
  #pending = new Map<string, UsageRow>();
  /** Of this process since its start, for metrics. */
  readonly #totals = new Map<string, UsageRow>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly now: () => Date = () => new Date(),
  ) {}

  record(event: UsageEvent): void {
    const day = dayOf(this.now());
    add(this.#pending, day, event);
    add(this.#totals, '', event);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  /** What this process has counted since its start; `day` is empty. */
  totals(): readonly UsageRow[] {
    return [...this.#totals.values()];
  }

  /** Writes what is pending. Never rejects: what could not be written is tried again with the next. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** The rows of all processes from a day on, what is still pending here included. */
  async rows(from: string): Promise<UsageRow[]> {
    await this.flush();
    const rows = await this.dataSource.query<Record<keyof UsageRow, string>[]>(
      `SELECT to_char(day, 'YYYY-MM-DD') AS day, kind, model, outcome, results, prompt_tokens AS "promptTokens",
              cached_prompt_tokens AS "cachedPromptTokens", completion_tokens AS "completionTokens", suspects
         FROM ai_usage WHERE day >= $1 ORDER BY day, kind, model, outcome`,
      [from],
    );
    return rows.map((it) => ({
      ...it,
      kind: it.kind as AiResultKind,
      outcome: it.outcome as UsageOutcome,
      results: Number(it.results),
      promptTokens: Number(it.promptTokens),
      cachedPromptTokens: Number(it.cachedPromptTokens),
      completionTokens: Number(it.completionTokens),
      suspects: Number(it.suspects),
    }));
  }

  async #write(): Promise<void> {
    const rows = [...this.#pending.values()];
    this.#pending = new Map();
    if (rows.length === 0) return;
    try {
      await this.#add(rows);
    } catch (error) {
      for (const it of rows) merge(this.#pending, it);
      this.#timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
      this.#log.warn(`The usage of AI could not be written and will be tried again: ${String(error)}`);
    }
  }

  /** One statement, rows in the order of their key: two processes cannot wait for each other. */
  async #add(rows: readonly UsageRow[]): Promise<void> {
    const sorted = rows.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
    await this.dataSource.query(
      `INSERT INTO ai_usage AS u
         (day, kind, model, outcome, results, prompt_tokens, cached_prompt_tokens, completion_tokens, suspects)
       SELECT * FROM unnest($1::date[], $2::text[], $3::text[], $4::text[],
                            $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
       ON CONFLICT (day, kind, model, outcome) DO UPDATE SET
         results = u.results + excluded.results,
         prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
         cached_prompt_tokens = u.cached_prompt_tokens + excluded.cached_prompt_tokens,
         completion_tokens = u.completion_tokens + excluded.completion_tokens,
         suspects = u.suspects + excluded.suspects`,
      [
        ...[sorted.map((it) => it.day), sorted.map((it) => it.kind), sorted.map((it) => it.model)],
        ...[sorted.map((it) => it.outcome), sorted.map((it) => it.results)],
        ...[sorted.map((it) => it.promptTokens), sorted.map((it) => it.cachedPromptTokens)],
        ...[sorted.map((it) => it.completionTokens), sorted.map((it) => it.suspects)],
      ],
    );
  }
}

function add(rows: Map<string, UsageRow>, day: string, event: UsageEvent): void {
  const { kind, model, outcome, results, promptTokens, cachedPromptTokens, completionTokens } = event;
  const suspects = event.suspect ? results : 0;
  merge(rows, {
    ...{ day, kind, model, outcome, results, promptTokens, cachedPromptTokens, completionTokens, suspects },
  });
}

function merge(rows: Map<string, UsageRow>, more: UsageRow): void {
  const row = rows.get(keyOf(more));
  if (!row) return void rows.set(keyOf(more), { ...more });
  row.results += more.results;
  row.promptTokens += more.promptTokens;
  row.cachedPromptTokens += more.cachedPromptTokens;
  row.completionTokens += more.completionTokens;
  row.suspects += more.suspects;
}

function keyOf({ day, kind, model, outcome }: UsageRow): string {
  return [day, kind, model, outcome].join('\n');
}
