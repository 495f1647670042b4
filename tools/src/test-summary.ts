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
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
}

/** More files than this do not fail by chance. */
const MAX_UNSTEADY_FILES = 3;
/** What failed beside other suites must pass so often by itself. */
export const SECOND_LOOKS = 2;

export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  /** What the two numbers do not say, one sentence each. */
  readonly notes: readonly string[];
}

/** The files worth a second look: a few failed tests in a run that was in order otherwise. */
export function filesToLookAtAgain(result: JestResult | undefined): string[] {
  if (!result || result.numRuntimeErrorTestSuites > 0) return [];
  const files = result.testResults.filter((it) => failedIn(it).length > 0).map(({ name }) => name);
  return files.length <= MAX_UNSTEADY_FILES ? files : [];
}

/** Whether a run of some files was in order: all of them ran, and nothing failed. */
export const isClean = (result: JestResult | undefined): boolean =>
  result !== undefined &&
  result.numPassedTests > 0 &&
  result.numFailedTests + result.numRuntimeErrorTestSuites + result.numPendingTests === 0;

/** The result with what failed as passed, and a sentence on each such test: it is a defect all the same. */
export function afterSecondLook(result: JestResult): { result: JestResult; notes: string[] } {
  const notes = result.testResults.flatMap((file) =>
    failedIn(file).map((name) => `UNSTEADY: "${name}" failed once, and passed ${SECOND_LOOKS} times alone.`),
  );
  const { numPassedTests, numFailedTests } = result;
  return { result: { ...result, numPassedTests: numPassedTests + numFailedTests, numFailedTests: 0 }, notes };
}

const failedIn = ({ assertionResults }: JestFileResult) =>
  assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);

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
