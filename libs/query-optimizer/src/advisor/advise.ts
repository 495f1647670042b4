import { loadAnalyser } from '../analysis/parser.js';
import { type Advice, type SkippedStatement, type Workload } from './advice.js';
import { type AdvisorOptions, type AdvisorOptionsInput, parseAdvisorOptions } from './advisor.options.js';
import { AdvisorSession } from './advisor-session.js';
import { adviceOf } from './advice-report.js';
import { type Candidate } from './candidate.js';
import { CandidatePool } from './candidate-pool.js';
import { Laboratory } from './laboratory.js';
import { readPlannedWorkload } from './planned-workload.js';
import { Selection } from './selection.js';
import { statisticsAdvice } from './statistics-advice.js';
import { targetsOf } from './targets.js';
import { WriteModel } from './write-model.js';

/** Share of the time limit after which nothing more is built or tried, so that there is time to answer. */
const BUILD_SHARE = 0.5;
/** An index as large as all tables of the workload together must gain this part of the workload's cost. */
const STORAGE_PRICE = 0.005;
/** What the average statement gains counts as well, at this part of what the sum of costs gains: a rare one is not forgotten. */
const EQUALITY = 0.02;

/**
 * Indexes for the whole workload, each proven by the planner: with HypoPG where it is there, else on copies of the tables. All
 * of it happens in one transaction that is rolled back. Reads the tables' statistics, so run ANALYZE before.
 *
 * @throws {InvalidQueryOptimizerOptionsError} @throws {QueryAdvisorError}
 */
export async function advise(workload: Workload, input: AdvisorOptionsInput): Promise<Advice> {
  const options = parseAdvisorOptions(input);
  await loadAnalyser();
  const start = performance.now();
  return AdvisorSession.with(options, (session) => adviseIn(session, workload, options, start));
}

async function adviseIn(
  session: AdvisorSession,
  workload: Workload,
  options: AdvisorOptions,
  start: number,
): Promise<Advice> {
  const skipped: SkippedStatement[] = [];
  const planned = await readPlannedWorkload(session, workload, options.maxStatements, skipped);
  const pool = new CandidatePool(planned);
  const laboratory = await Laboratory.open(session, planned.tables, options);
  const targets = targetsOf(planned, pool);
  const rowsOf = planned.rowsOf.bind(planned);
  const writes = new WriteModel(
    planned.writers,
    planned.tables,
    session.searchPath,
    options.writeCost,
    rowsOf,
  );
  const subjects = targets.map((it) => it.subject);
  await laboratory.prepare(subjects, pool.candidates, start + options.timeLimitMs * BUILD_SHARE);
  for (const { id, subject } of targets) {
    const failure = laboratory.failure(subject);
    if (failure !== null) skipped.push({ statement: id, reason: failure });
  }
  const totalCost = targets.reduce((sum, it) => sum + it.subject.baseCost * it.weight, 0);
  const totalBytes = planned.tables.all.reduce((sum, it) => sum + it.sizeBytes, 0);
  const priceOf = (it: Candidate): number => {
    const sizeBytes = laboratory.sizeBytes(it);
    const writeShare = (writes.costOf(it, sizeBytes).cost * planned.weightOfCost) / totalCost;
    return writeShare + (STORAGE_PRICE * sizeBytes) / Math.max(1, totalBytes);
  };
  const selected = await new Selection(laboratory, targets, {
    ...options,
    deadline: start + options.timeLimitMs,
    narrowed: (it) => pool.narrowed(it),
    worth: ({ loss, relativeLoss }, of, instead) => {
      const gain = loss / totalCost + (EQUALITY * relativeLoss) / targets.length;
      return gain - priceOf(of) + instead.reduce((sum, it) => sum + priceOf(it), 0);
    },
  }).run();
  const statistics = await statisticsAdvice(session, planned, start + options.timeLimitMs);
  return adviceOf({
    session,
    planned,
    pool,
    laboratory,
    targets,
    writes,
    selected,
    statistics,
    skipped,
    start,
    maxRegression: options.maxRegression,
  });
}
