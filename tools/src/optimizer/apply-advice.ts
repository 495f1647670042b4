import type {
  IndexBuildProgress,
  LedgerEntry,
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
the first and after the last, the best of three; what does not help, or slows one down by more than 30 %, is dropped again.
Everything stands in a ledger (table peregrine_index_ledger); only what stands there is ever dropped.

${TARGET_HELP}
${ADVICE_HELP}
  --from <file>         JSON of "recommend --json" instead of new advice
  --dry-run             says what it would build, and builds nothing
  --help                this text

Exit code 0: all were built, kept or dropped. 1: one could not be built. 130: Ctrl-C; a build that was under way is undone.`;

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
}

/** `npm run optimizer -- apply` */
export async function applyAdvice(args: readonly string[]): Promise<number> {
  const { values } = parseOptions('npm run optimizer -- apply', { options, args: [...args] });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  await build();
  const reporter = progressReporter();
  return withTarget(values, async (pool) => {
    const { recommendations, statements } = await adviceOf(values, pool, reporter);
    const candidates = recommendations.map((plan): TrialCandidate => {
      const served = new Set((plan.serves ?? []).map((it) => it.statement));
      return { plan, statements: statements.filter((it) => served.has(it.id ?? '')) };
    });
    if (!values['dry-run']) return run(pool, candidates, statements, values.json, reporter);
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
        statements,
      ),
    );
    console.log(asJson ? JSON.stringify({ ledger: entries }, null, 2) : ledgerText(entries));
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
): Promise<{ recommendations: readonly Given[]; statements: readonly WorkloadStatement[] }> {
  if (values.from === undefined) {
    const { statements, source } = await workloadOf(values, pool);
    const advice = await reporter.step(`Looking for indexes for ${source}`, () =>
      adviseOn(pool, statements, values),
    );
    return { recommendations: advice.recommendations, statements };
  }
  const given = await readAdvice(values.from);
  if (values.statements === undefined) return given;
  return { ...given, statements: (await workloadOf(values, pool)).statements };
}

/** @throws {UsageError} */
async function readAdvice(file: string) {
  const path = fromCallersFolder(file);
  try {
    const { recommendations, statements = [] } = JSON.parse(await readFile(path, 'utf8')) as {
      recommendations?: readonly Given[];
      statements?: readonly WorkloadStatement[];
    };
    if (!Array.isArray(recommendations) || !Array.isArray(statements)) {
      throw new TypeError('it has no list "recommendations"');
    }
    return { recommendations: recommendations as readonly Given[], statements };
  } catch (error) {
    throw new UsageError(`--from ${path}: ${(error as Error).message}`, { cause: error });
  }
}
