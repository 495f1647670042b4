import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningServer, startNginx } from '../../src/testing/index.js';

/** What a test gives every configuration: everything in one folder, and workers that may read it. */
export interface TestNginx {
  readonly listen: string;
  readonly temporaryFolder: string;
  readonly errorLog: string;
  readonly accessLog: false;
  readonly workerProcesses: number;
  readonly user?: string;
}

export async function startTestNginx(
  folder: string,
  render: (options: TestNginx) => string,
): Promise<RunningServer> {
  await mkdir(folder, { recursive: true });
  return startNginx(folder, (port) =>
    render({
      listen: `127.0.0.1:${port}`,
      temporaryFolder: folder,
      errorLog: join(folder, 'error.log'),
      accessLog: false,
      workerProcesses: 1,
      // Started by root, the workers are somebody else, who may not read the test's folder.
      ...(process.getuid?.() === 0 && { user: 'root' }),
    }),
  );
}
