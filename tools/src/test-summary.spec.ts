import { describe, expect, it } from '@jest/globals';

import { afterSecondLook, filesToLookAtAgain, isClean, type JestResult, summarize } from './test-summary.ts';

const clean: JestResult = {
  numPassedTests: 7,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: [],
};
const local = { exitCode: 0, isCi: false };

describe('the summary of a test run', () => {
  it('counts passed and failed tests', () => {
    expect(summarize(clean, local)).toEqual({ passed: 7, failed: 0, notes: [] });
    const failed = summarize({ ...clean, numFailedTests: 2 }, { ...local, exitCode: 1 });
    expect(failed).toEqual({ passed: 7, failed: 2, notes: [] });
  });

  it('counts a file that did not run as one failed test', () => {
    const broken = { ...clean, numRuntimeErrorTestSuites: 1 };
    expect(summarize(broken, { ...local, exitCode: 1 }).failed).toBe(1);
  });

  it('reports skipped tests, and counts them as failed in CI only', () => {
    const skipped = { ...clean, numPendingTests: 1, numTodoTests: 1 };
    expect(summarize(skipped, local)).toMatchObject({ failed: 0, notes: ['2 tests were skipped.'] });
    expect(summarize(skipped, { ...local, isCi: true }).failed).toBe(2);
  });

  it('never calls a failed run passed', () => {
    expect(summarize(clean, { ...local, exitCode: 1 }).failed).toBe(1);
    expect(summarize(clean, { ...local, exitCode: null }).failed).toBe(1);
    expect(summarize(undefined, local)).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe('a second look at what failed', () => {
  const file = (name: string, ...failed: string[]) => ({
    name,
    status: failed.length > 0 ? 'failed' : 'passed',
    assertionResults: [
      { fullName: 'holds', status: 'passed' },
      ...failed.map((fullName) => ({ fullName, status: 'failed' })),
    ],
  });
  const unsteady = { ...clean, numFailedTests: 1, testResults: [file('a'), file('b', 'is unsteady')] };

  it('is taken at a few files of a run that was in order otherwise', () => {
    expect(filesToLookAtAgain(unsteady)).toEqual(['b']);
    expect(filesToLookAtAgain(clean)).toEqual([]);
    expect(filesToLookAtAgain(undefined)).toEqual([]);
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => file(name, 'fails'));
    expect(filesToLookAtAgain({ ...unsteady, testResults: many })).toEqual([]);
  });

  it('believes only a run in which tests ran and none failed or was skipped', () => {
    expect(isClean(clean)).toBe(true);
    for (const field of ['numFailedTests', 'numPendingTests', 'numRuntimeErrorTestSuites']) {
      expect(isClean({ ...clean, [field]: 1 })).toBe(false);
    }
    expect(isClean({ ...clean, numPassedTests: 0 })).toBe(false);
    expect(isClean(undefined)).toBe(false);
  });

  it('names the test that was unsteady, and counts its file as the last look did', () => {
    const { result, notes } = afterSecondLook(unsteady, { ...clean, numPassedTests: 2 });
    expect(result).toMatchObject({ numPassedTests: 8, numFailedTests: 0 });
    expect(notes).toEqual(['UNSTEADY: "is unsteady" failed once, and passed 2 times alone.']);
  });

  it('is taken at a file that failed outside its tests, too', () => {
    const lost = { name: 'b', status: 'failed', assertionResults: [] };
    const first = { ...clean, numRuntimeErrorTestSuites: 1, testResults: [file('a'), lost] };
    expect(filesToLookAtAgain(first)).toEqual(['b']);
    const { result, notes } = afterSecondLook(first, { ...clean, numPassedTests: 3 });
    expect(result).toMatchObject({ numPassedTests: 10, numRuntimeErrorTestSuites: 0 });
    expect(notes).toEqual(['UNSTEADY: "b" failed once, and passed 2 times alone.']);
  });
});
