import { parentPort } from 'node:worker_threads';
import { type CodeScan, scanCodes } from './scan-codes.js';

// The thread that compares codes: it reads them where they are, so that nothing but the answer is copied.
parentPort?.on('message', ({ id, scan }: { id: number; scan: CodeScan }) => {
  parentPort?.postMessage({ id, found: scanCodes(scan) });
});
