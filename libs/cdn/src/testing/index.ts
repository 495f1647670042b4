export { startNginx } from './nginx-server.js';
export { type RunningServer } from './server-process.js';
export { startVarnish } from './varnish-server.js';
export { runFuzz, type FuzzOptions, type FuzzReport } from './fuzz.js';
export { PROBE_CHECKS, runProbe, type ProbeResult } from './probe.js';
export { ProbedServer, type ProbeCheck, type ProbeGroup } from './probe-check.js';
export { PROBE_FILES, SECRET, writeProbeFixture, type ProbeFile } from './probe-fixture.js';
export { ask, exchange, RawAnswer, readAnswers, type RawRequest } from './raw-client.js';
export {
  invalidationQueueContract,
  type ContractCase,
  type OpenedQueue,
} from './invalidation-queue-contract.js';
