import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { ROOT } from './paths.ts';
import { BuildError, InterruptedError } from './tools.errors.ts';

export interface BuildOptions {
  /** With the type check of the tests and tools; else only what runs. */
  readonly withTests?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Builds what is out of date: half a second when nothing is.
 *
 * @throws {BuildError} with the compiler's output
 * @throws {InterruptedError}
 */
export async function build({ withTests = false, signal }: BuildOptions = {}): Promise<void> {
  const project = join(ROOT, withTests ? 'tsconfig.json' : 'tsconfig.build.json');
  const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', project];
  if (process.stdout.isTTY) args.push('--pretty');
  await runNode(args, signal);
  // The page of the console, for browsers: it needs more than a compiler.
  await runNode([join(ROOT, 'apps/console/build.mjs')], signal);
}

async function runNode(args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const program = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const interrupt = () => program.kill();
  signal?.addEventListener('abort', interrupt);
  const chunks: Buffer[] = [];
  program.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(program, 'close')) as [number | null];
  signal?.removeEventListener('abort', interrupt);
  if (signal?.aborted) throw new InterruptedError();
  if (code !== 0) throw new BuildError(`${Buffer.concat(chunks).toString()}\nThe build failed.`);
}
