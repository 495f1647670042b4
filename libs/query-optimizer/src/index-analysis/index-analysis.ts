import { type Ask, type OwnStatements } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';
import { type Degradation } from '../slow-queries/slow-query.js';
import { findBloated, pgstattupleSchema } from './bloat.js';
import { readForeignKeys } from './foreign-keys.js';
import { type IndexAnalysisOptions } from './index-analysis.options.js';
import { type IndexReport, type IndexUse } from './index-finding.js';
import { type IndexFacts, indexFindings } from './index-findings.js';
import { type IndexRow, readIndexes, readLockedTables } from './index-rows.js';
import { readReplica, readStatisticsSince, type ServerUsage, usageKey } from './index-usage.js';

const DAY_MS = 86_400_000;

/**
 * Looks at the indexes of the database: those that cost and do not serve, and those that foreign keys miss. What cannot be
 * looked at is in the report, with its reason. Unused across replicas after PgHero; bloat from page layout, or by pgstattuple.
 */
export class IndexAnalysis {
  readonly #degraded: Degradation[] = [];

  constructor(
    private readonly own: OwnStatements,
    private readonly options: IndexAnalysisOptions,
    private readonly updatedColumns: IndexFacts['updatedColumns'],
  ) {}

  async run(): Promise<IndexReport> {
    const locked = (await this.#try('indexes', readLockedTables)) ?? [];
    for (const it of locked) this.#note('indexes', `${it.name} is left out: somebody has it locked`);
    const onServer = (await this.#try('indexes', (ask) => readIndexes(ask, locked))) ?? [];
    const oids = locked.map((it) => it.oid);
    const foreignKeys = (await this.#try('indexes', (ask) => readForeignKeys(ask, oids))) ?? [];
    const since = (await this.#try('indexes', readStatisticsSince)) ?? null;
    const bloated = await this.#bloated(onServer);
    const replicas = await this.#replicas();
    const indexes = onServer.map((it) => withScans(it, replicas));
    // The shortest statistics decide what "never" means.
    const statisticsSince = latest([since, ...replicas.map((it) => it.since)]);
    return {
      analysedAt: new Date(),
      indexes: indexes.length,
      sizeBytes: indexes.reduce((sum, it) => sum + (it.isPartitioned ? 0 : it.sizeBytes), 0),
      statisticsSince,
      servers: 1 + replicas.length,
      all: indexes
        .filter((it) => !it.isAttached)
        .map(describe)
        .toSorted((a, b) => b.sizeBytes - a.sizeBytes),
      findings: indexFindings({
        indexes,
        foreignKeys,
        bloated,
        statisticsSince,
        usageCaution: this.#usageCaution(statisticsSince, replicas.length),
        updatedColumns: this.updatedColumns,
      }),
      degraded: this.#degraded,
    };
  }

  #usageCaution(since: Date | null, replicas: number): string | null {
    const { replicas: wanted, unusedAfterDays } = this.options;
    if (replicas < wanted.length) return 'not every replica could be asked';
    if (since === null) return 'it is not known how long uses have been counted';
    if (Date.now() - since.getTime() >= unusedAfterDays * DAY_MS) return null;
    return `uses have been counted for less than ${unusedAfterDays} days`;
  }

  async #bloated(indexes: readonly IndexRow[]) {
    const { bloat } = this.options;
    const schema = (await this.#try('bloat', pgstattupleSchema)) ?? null;
    const measured =
      schema === null ? null : await this.#try('bloat', (ask) => findBloated(ask, indexes, schema, bloat));
    return measured ?? (await this.#try('bloat', (ask) => findBloated(ask, indexes, null, bloat))) ?? [];
  }

  async #replicas(): Promise<ServerUsage[]> {
    const { replicas, timeoutMs } = this.options;
    const answers = await Promise.all(replicas.map((it) => readReplica(it, timeoutMs)));
    return answers.filter((it, index) => {
      if (typeof it !== 'string') return true;
      this.#note('replicas', `replica ${index + 1}: ${it}`);
      return false;
    }) as ServerUsage[];
  }

  /** @returns null when it could not be done, which the report says */
  async #try<T>(part: Degradation['part'], work: (ask: Ask) => Promise<T>): Promise<T | null> {
    try {
      return await this.own.read({ timeoutMs: this.options.timeoutMs }, async (ask) => {
        // Definitions come with qualified names then, and nothing can stand before the catalogue.
        await ask('SET LOCAL search_path = pg_catalog');
        return work(ask);
      });
    } catch (error) {
      this.#note(part, problemText(error));
      return null;
    }
  }

  #note(part: Degradation['part'], reason: string): void {
    this.#degraded.push({ part, reason });
  }
}

function describe({
  schema,
  table,
  name,
  method,
  keys,
  isUnique,
  isValid,
  sizeBytes,
  scans,
}: IndexRow): IndexUse {
  const columns = keys.map((it) => it.column ?? it.text);
  return { schema, table, index: name, method, columns, isUnique, isValid, sizeBytes, scans };
}

function withScans(index: IndexRow, replicas: readonly ServerUsage[]): IndexRow {
  const key = usageKey(index.schema, index.name);
  return { ...index, scans: replicas.reduce((sum, it) => sum + (it.scans.get(key) ?? 0), index.scans) };
}

function latest(dates: readonly (Date | null)[]): Date | null {
  if (dates.includes(null)) return null;
  return dates.reduce((a, b) => (a && b && b > a ? b : a)) ?? null;
}
