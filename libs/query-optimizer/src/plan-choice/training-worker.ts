import { parentPort } from 'node:worker_threads';
import { type TrainingJob, trainRound } from './training-round.js';

// The thread that trains, so that no query waits for it.
parentPort?.on('message', (job: TrainingJob) => parentPort?.postMessage(trainRound(job)));
