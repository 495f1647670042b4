export { CuttableProxy } from './cuttable-proxy.js';
export {
  type PerformedTask,
  type SubmittedTestTask,
  TaskTestKit,
  type TaskTestKitOptions,
  type TestingBuilder,
  type TestQueueOptions,
} from './task-test-kit.js';
export {
  SubmissionExpectationError,
  TaskNotWaitingError,
  TortureFailedError,
  TortureSetupError,
} from './testing.errors.js';
export { torture } from './torture/torture.js';
export {
  type FaultInterval,
  type TortureFaults,
  type TortureOptions,
  type TortureProgress,
} from './torture/torture.options.js';
export {
  assertSurvived,
  describeReport,
  type SurvivalAllowance,
  type TorturedTask,
  type TortureReport,
} from './torture/torture-report.js';
/** For the worker processes of `torture`. */
export { runTortureWorker, type TortureWorkerSettings } from './torture/torture-worker.js';
