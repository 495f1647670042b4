// The program of a thread that ends when it is asked.
import { parentPort } from 'node:worker_threads';

parentPort?.once('message', () => process.exit(1));
