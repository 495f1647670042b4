import { tryAnalyse } from '../analysis/analyse.js';
import {
  hourOf,
  type RememberedPlan,
  type SlowQueryHistory,
  type SlowQueryHour,
} from './slow-query-history.js';
import { TrackedStatement } from './tracked-statement.js';
import { type TrackedStatements } from './tracked-statements.js';

/** Brings what is tracked into the history, hour by hour, and back at the start. */
export class SlowQueryKeeper {
  #hour = hourOf(new Date());
  #keptAt = new Date(0);
  #isKeeping = false;

  constructor(
    private readonly history: SlowQueryHistory,
    private readonly tracked: TrackedStatements,
  ) {}

  /** The tables are there. */
  get isKeeping(): boolean {
    return this.#isKeeping;
  }

  /** @returns why nothing is kept @throws the driver's error */
  async start(install: boolean): Promise<string | null> {
    if (install) await this.history.install();
    if (!(await this.history.exists()))
      return 'not kept: run installSlowQueryHistory() in a migration, or set history.install';
    const { statements, plans } = await this.history.load();
    for (const { fingerprint, sql, kind, lastSlowAt, ...totals } of statements) {
      const track =
        this.tracked.get(fingerprint) ?? this.tracked.put(new TrackedStatement(fingerprint, sql, kind));
      track.restore(totals, lastSlowAt);
      const statement = tryAnalyse(sql);
      // Without its values, but it can be explained, and an advisor can work with it.
      if (statement && !statement.syntaxError)
        track.run ??= {
          statement,
          parameters: null,
          durationMs: totals.totalMs / totals.calls,
          at: -Infinity,
        };
    }
    for (const { fingerprint, ...plan } of plans) this.tracked.get(fingerprint)?.plans.restore(plan);
    this.#isKeeping = true;
    return null;
  }

  /** Writes what has changed. @throws the driver's error; nothing is lost then, it is written the next time */
  async keep(): Promise<null> {
    const now = new Date();
    const hour = hourOf(now);
    const isHourOver = hour.getTime() !== this.#hour.getTime();
    const changed = this.tracked.all().filter((it) => it.isSlow && it.hasUnkept);
    if (changed.length === 0 && !isHourOver) return null;
    const hours = changed.map((it) => ({ track: it, totals: it.thisHour() }));
    await this.history.save(
      this.#hour,
      hours.map(({ track: { fingerprint, sql, kind, lastSlowAt }, totals }) => ({
        fingerprint,
        sql,
        kind,
        lastSlowAt,
        ...totals,
      })),
      changed.flatMap((it) => this.#changedPlans(it)),
    );
    for (const { track, totals } of hours) track.kept(totals.calls);
    this.#keptAt = now;
    if (isHourOver) for (const it of this.tracked.all()) it.beginHour();
    this.#hour = hour;
    return null;
  }

  /** Nothing where there are no tables. @throws the driver's error */
  async hours(fingerprint: string): Promise<readonly SlowQueryHour[]> {
    return this.#isKeeping ? this.history.hours(fingerprint) : [];
  }

  #changedPlans({ fingerprint, plans }: TrackedStatement): RememberedPlan[] {
    return plans.plans.filter((it) => it.lastSeenAt >= this.#keptAt).map((it) => ({ fingerprint, ...it }));
  }
}
