/** All packages in one run, so that the workers are shared and the totals are one line. */
export default {
  // Turns a hang into a failure; says nothing about how fast a test has to be on a machine that does much else.
  testTimeout: 60_000,
  // Tests wait for services more than they compute. Jest's default leaves a core free: of two, half the machine.
  maxWorkers: '100%',
  testSequencer: '<rootDir>/jest.sequencer.mjs',
  projects: [
    '<rootDir>/libs/*',
    '<rootDir>/apps/*',
    '<rootDir>/migrations',
    '<rootDir>/tools',
    '<rootDir>/tools/bench',
  ],
};
