/** The part of Jest's result file that counts. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that failed outside their tests. */
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly JestFileResult[];
}

interface JestFileResult {
  /** The path of the file. */
  readonly name: string;
  /** Of the whole file: it can fail outside its tests. */
  readonly status: string;
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
}

/** More files than this do not fail by chance. */
const MAX_UNSTEADY_FILES = 5;
/** What failed beside other suites must pass so often by itself. */
export const SECOND_LOOKS = 2;

export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  /** What the two numbers do not say, one sentence each. */
  readonly notes: readonly string[];
}

/** The files worth a second look: a few that failed in a run that was in order otherwise. */
export function filesToLookAtAgain(result: JestResult | undefined): string[] {
  const files = (result?.testResults ?? []).filter(hasFailed).map(({ name }) => name);
  return files.length <= MAX_UNSTEADY_FILES ? files : [];
}

/** Whether a run of some files was in order: all of them ran, and nothing failed. */
export const isClean = (result: JestResult | undefined): boolean =>
  result !== undefined &&
  result.numPassedTests > 0 &&
  result.numFailedTests + result.numRuntimeErrorTestSuites + result.numPendingTests === 0;

/**
 * The first result with what the last look found in place of what failed, and a sentence on each test, or file, that
 * failed: it is a defect all the same.
 */
export function afterSecondLook(
  first: JestResult,
  last: JestResult,
): { result: JestResult; notes: readonly string[] } {
  const failedFiles = first.testResults.filter(hasFailed);
  const passedBefore = failedFiles.flatMap((it) => testsIn(it, 'passed')).length;
  const notes = failedFiles
    .flatMap((it) => (testsIn(it, 'failed').length > 0 ? testsIn(it, 'failed') : [it.name]))
    .map((name) => `UNSTEADY: "${name}" failed once, and passed ${SECOND_LOOKS} times alone.`);
  const numPassedTests = first.numPassedTests - passedBefore + last.numPassedTests;
  return { result: { ...first, numPassedTests, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, notes };
}

const hasFailed = ({ status }: JestFileResult) => status === 'failed';

const testsIn = ({ assertionResults }: JestFileResult, status: 'passed' | 'failed') =>
  assertionResults.filter((it) => it.status === status).map(({ fullName }) => fullName);

/**
 * @param result what Jest wrote; undefined when it wrote nothing, because it failed itself
 * @param run in CI a test that did not run counts as failed
 */
export function summarize(
  result: JestResult | undefined,
  run: { readonly exitCode: number | null; readonly isCi: boolean },
): TestSummary {
  if (!result) return { passed: 0, failed: 1, notes: ['Jest ended without a result.'] };
  const notRun = result.numPendingTests + result.numTodoTests;
  const broken = result.numRuntimeErrorTestSuites;
  const counted = result.numFailedTests + broken + (run.isCi ? notRun : 0);
  // Jest fails for other reasons too: no tests found, a broken set-up.
  const isOtherFailure = counted === 0 && run.exitCode !== 0;
  const notes = [
    ...(broken > 0
      ? [`${broken} test files failed outside their tests: each counts as one failed test.`]
      : []),
    ...(notRun > 0
      ? [`${notRun} tests were skipped${run.isCi ? ', which counts as failed in CI' : ''}.`]
      : []),
    ...(isOtherFailure ? [`Jest ended with exit code ${run.exitCode}.`] : []),
  ];
  return { passed: result.numPassedTests, failed: isOtherFailure ? 1 : counted, notes };
}
