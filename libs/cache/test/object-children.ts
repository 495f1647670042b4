import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('object-child.mjs', import.meta.url));

/** Starts `object-child.mjs`; its error output is the test's. */
export function startChild(mode: string, options: object): ChildProcess {
  const flags = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
  const args = [...flags, CHILD, mode, JSON.stringify(options)];
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

/** What a child prints as JSON until it ends. */
export async function runChild<T>(mode: string, options: object): Promise<T> {
  const child = startChild(mode, options);
  if (child.stdout === null) throw new Error('the child has no output');
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`the child ended with ${String(code)}: ${output}`);
  return JSON.parse(output) as T;
}
