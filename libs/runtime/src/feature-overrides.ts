import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type FeatureFlagName, FeatureFlags, featureSettings, type RolloutOverride } from '@peregrine/config';
import { withQueryPriority } from '@peregrine/query-optimizer';
import { DataSource } from 'typeorm';

/** How often a process looks for overrides that another has set, milliseconds. */
export const OVERRIDE_REFRESH_MS = 2_000;

const FLAGS = Object.keys(featureSettings.shape) as FeatureFlagName[];

/** Name of the row for a feature as a whole. */
const WHOLE = '';

interface Row {
  flag: string;
  scope: string;
  percent: number;
}

/**
 * Rollouts that change while the processes run: kept in the table `feature_overrides`, which every process reads every
 * {@link OVERRIDE_REFRESH_MS}, and given to {@link FeatureFlags}. While the database is away the last ones hold.
 */
@Injectable()
export class FeatureOverrides implements OnModuleInit, OnApplicationShutdown {
  /** Name as a source of metrics. */
  readonly name = 'features';
  readonly #log = new Logger('FeatureOverrides');
  #inForce = new Map<string, RolloutOverride>();
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #failed = false;
  #closed = false;

  constructor(
    private readonly flags: FeatureFlags,
    private readonly dataSource: DataSource,
  ) {}

  /** The override in force in this process; undefined when there is none. */
  get(flag: FeatureFlagName): RolloutOverride | undefined {
    return this.#inForce.get(flag);
  }

  /**
   * Puts an override in place of an earlier one, `undefined` takes it away: here when this resolves, in the other
   * processes within {@link OVERRIDE_REFRESH_MS}.
   */
  async set(flag: FeatureFlagName, override: RolloutOverride | undefined): Promise<void> {
    const rows = [
      ...(override?.percent === undefined ? [] : [[WHOLE, override.percent] as const]),
      ...Object.entries(override?.scopes ?? {}),
    ];
    await this.dataSource.transaction(async (manager) => {
      // Two operators at once: one after the other, never a mixture.
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('feature_overrides'))`);
      await manager.query('DELETE FROM feature_overrides WHERE flag = $1', [flag]);
      await manager.query(
        `INSERT INTO feature_overrides (flag, scope, percent)
         SELECT $1, scope, percent FROM unnest($2::text[], $3::numeric[]) AS t (scope, percent)`,
        [flag, rows.map(([scope]) => scope), rows.map(([, percent]) => percent)],
      );
    });
    await this.refresh();
  }

  /** Reads the table now. Rejects when the database does not answer. */
  async refresh(): Promise<void> {
    // One after the other: an older answer must not come in after a newer one.
    const reading = this.#reading.then(() => this.#read());
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  /** The rollouts in force in this process, for the metrics endpoint. */
  collect() {
    const samples = FLAGS.flatMap((flag) => {
      const { percent, scopes } = this.flags.describe(flag).inForce;
      return [[WHOLE, percent] as const, ...Object.entries(scopes)].map(([scope, value]) => ({
        labels: { flag, scope },
        value,
      }));
    });
    const help = 'Share of keys for which a feature is on; without a scope, for all that have no own share';
    return [{ name: 'feature_rollout_percent', help, type: 'gauge' as const, samples }];
  }

  /** Before the first request. Called by Nest. */
  async onModuleInit(): Promise<void> {
    await this.#refreshOften();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#reading;
  }

  async #refreshOften(): Promise<void> {
    try {
      await this.refresh();
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#log.warn(`The overrides of features could not be read: ${String(error)}`);
      this.#failed = true;
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#refreshOften(), OVERRIDE_REFRESH_MS).unref();
  }

  async #read(): Promise<void> {
    if (this.#closed) return;
    // What an operator has switched off must not wait behind what made him do it.
    const rows = await withQueryPriority('high', () =>
      this.dataSource.query<Row[]>(
        'SELECT flag, scope, percent::float8 AS percent FROM feature_overrides ORDER BY flag, scope',
      ),
    );
    // A newer version may have flags that this one does not know.
    const found = overridesIn(rows.filter(({ flag }) => (FLAGS as string[]).includes(flag)));
    for (const flag of new Set([...this.#inForce.keys(), ...found.keys()])) {
      const [before, after] = [this.#inForce.get(flag), found.get(flag)];
      if (JSON.stringify(before) === JSON.stringify(after)) continue;
      this.flags.override(flag as FeatureFlagName, after);
      this.#log.log(`Rollout of ${flag}: ${after === undefined ? 'as configured' : JSON.stringify(after)}`);
    }
    this.#inForce = found;
  }
}

function overridesIn(rows: readonly Row[]): Map<string, RolloutOverride> {
  const byFlag = Map.groupBy(rows, ({ flag }) => flag);
  return new Map(
    [...byFlag].map(([flag, its]) => {
      const whole = its.find(({ scope }) => scope === WHOLE);
      const scopes = its.filter(({ scope }) => scope !== WHOLE).map((it) => [it.scope, it.percent] as const);
      return [flag, { ...(whole && { percent: whole.percent }), scopes: Object.fromEntries(scopes) }];
    }),
  );
}
