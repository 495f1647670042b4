import type {
  IndexBuildProgress,
  LedgerEntry,
  ServedStatement,
  TrialCandidate,
  WorkloadStatement,
} from '@peregrine/query-optimizer';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type pg from 'pg';

import { build } from '../build.ts';
import { INTERRUPTED_EXIT_CODE, parseOptions } from '../command-line.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { fromCallersFolder } from '../paths.ts';
import type { Reporter } from '../reporter.ts';
import { UsageError } from '../tools.errors.ts';
import { ADVICE_HELP, ADVICE_OPTIONS, adviseOn, workloadOf } from './advise-on.ts';
import { progressReporter } from './progress.ts';
import { TARGET_HELP, TARGET_OPTIONS, withTarget } from './target-database.ts';
import { ledgerText } from './text.ts';

const HELP = `Usage: npm run optimizer -- apply [options]

Builds recommended indexes one after the other, concurrently: readers and writers go on. Their statements are measured before
the first and after the last, the best of three; what does not help, loses more than it gains, or makes a statement take more than
three times as long, is dropped again. The ledger names every statement that became slower by 30 % or more. Everything stands in a ledger (table peregrine_index_ledger); only what stands there is ever dropped.

${TARGET_HELP}
${ADVICE_HELP}
  --from <file>         JSON of "recommend --json" instead of new advice
  --dry-run             says what it would build, and builds nothing
  --help                this text

Exit code 0: all were built, kept or dropped. 1: one could not be built. 2: wrong arguments. 130: Ctrl-C; a build that was
under way is undone.`;

const options = {
  ...TARGET_OPTIONS,
  ...ADVICE_OPTIONS,
  from: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const;

/** What of a recommendation's JSON is looked at here; the library checks the rest. */
interface Given {
  readonly statement?: unknown;
  readonly indexName?: unknown;
  readonly serves?: readonly { readonly statement: string }[];
  /** Those of {@link serves}, whole; `recommend --json` writes them. */
  readonly workload?: readonly WorkloadStatement[];
}

interface GivenAdvice {
  readonly recommendations: readonly Given[];
  /** Of `--statements`, or what was captured; undefined when the recommendations have their own. */
  readonly statements: readonly WorkloadStatement[] | undefined;
}

/** `npm run optimizer -- apply` */
export async function applyAdvice(args: readonly string[]): Promise<number> {
  const { values } = parseOptions('npm run optimizer -- apply', {
    options,
    args: [...args],
    allowNegative: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.build) await build();
  const reporter = progressReporter();
  return withTarget(values, async (pool) => {
    const { recommendations, statements } = await adviceOf(values, pool, reporter);
    const candidates = recommendations.map((plan): TrialCandidate => {
      const served = new Set((plan.serves ?? []).map((it) => it.statement));
      const own = statements?.filter((it) => served.has(it.id ?? ''));
      return { plan, statements: own ?? plan.workload ?? [] };
    });
    if (!values['dry-run']) return run(pool, candidates, statements ?? [], values.json, reporter);
    await assertPlans(candidates);
    const planned = recommendations.map((it) => String(it.statement ?? it.indexName));
    console.log(values.json ? JSON.stringify({ planned }, null, 2) : planned.join('\n'));
    return 0;
  });
}

async function run(
  pool: pg.Pool,
  candidates: readonly TrialCandidate[],
  statements: readonly WorkloadStatement[],
  asJson: boolean,
  reporter: Reporter,
): Promise<number> {
  const { IndexTrials } = await import('@peregrine/query-optimizer');
  const trials = new IndexTrials({ source: pool, actor: userInfo().username });
  const interrupt = listenForInterrupt();
  try {
    const entries: LedgerEntry[] = await reporter.step(`Building ${candidates.length} indexes`, (rename) =>
      trials.runTogether(
        candidates,
        {
          signal: interrupt.stop,
          onProgress: (it) => rename(`Building ${progressText(it)}`),
        },
        { watched: statements },
      ),
    );
    const text = candidates.length === 0 ? 'Nothing to build: no index is recommended.' : ledgerText(entries);
    console.log(asJson ? JSON.stringify({ ledger: entries }, null, 2) : text);
    if (interrupt.stop.aborted) return INTERRUPTED_EXIT_CODE;
    return entries.every((it) => it.status === 'kept' || it.status === 'dropped') ? 0 : 1;
  } finally {
    interrupt.dispose();
  }
}

const progressText = ({ indexName, phase, part }: IndexBuildProgress) =>
  `${indexName}: ${phase}${part === null ? '' : ` ${Math.round(part * 100)} %`}`;

async function assertPlans(candidates: readonly TrialCandidate[]): Promise<void> {
  const { loadAnalyser, parseIndexPlan } = await import('@peregrine/query-optimizer');
  await loadAnalyser();
  for (const { plan } of candidates) parseIndexPlan(plan);
}

async function adviceOf(
  values: { readonly from?: string | undefined; readonly statements?: string | undefined },
  pool: pg.Pool,
  reporter: Reporter,
): Promise<GivenAdvice> {
  if (values.from === undefined) {
    const workload = await workloadOf(values, pool);
    const { recommendations } = await reporter.step(`Looking for indexes for ${workload.source}`, () =>
      adviseOn(pool, workload, values),
    );
    return { recommendations, statements: workload.statements };
  }
  const recommendations = await readAdvice(values.from);
  if (values.statements === undefined) return { recommendations, statements: undefined };
  return { recommendations, statements: (await workloadOf(values, pool)).statements };
}

/** @throws {UsageError} */
async function readAdvice(file: string): Promise<readonly Given[]> {
  const path = fromCallersFolder(file);
  try {
    const advice = JSON.parse(await readFile(path, 'utf8')) as { recommendations?: unknown } | null;
    const recommendations = advice?.recommendations;
    if (!Array.isArray(recommendations)) throw new TypeError('it has no list "recommendations"');
    return recommendations.map(recommendationOf);
  } catch (error) {
    throw new UsageError(`--from ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function recommendationOf(given: unknown, index: number): Given {
  const { serves = [], workload = [] } = (given ?? {}) as Partial<Record<keyof Given, unknown>>;
  const isRight =
    typeof given === 'object' &&
    given !== null &&
    Array.isArray(serves) &&
    serves.every((it) => typeof (it as Partial<ServedStatement> | null)?.statement === 'string') &&
    Array.isArray(workload) &&
    workload.every(isStatement);
  if (!isRight) throw new TypeError(`recommendation ${index + 1} is not as "recommend --json" writes it`);
  return given;
}

function isStatement(it: unknown): it is WorkloadStatement {
  const { text, calls, parameters = [] } = (it ?? {}) as Partial<WorkloadStatement>;
  return typeof text === 'string' && typeof calls === 'number' && Array.isArray(parameters);
}
