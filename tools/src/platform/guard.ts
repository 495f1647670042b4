/**
 * `guard.ts <signal> <program> [arguments]`: runs a program that knows nothing of us. Ends it on any message, and
 * when the IPC channel closes, which the death of the parent does too, whatever killed it.
 *
 * Tells `{ pid }` once the program runs, and ends with the program's exit code.
 */
import { spawn } from 'node:child_process';

const KILL_AFTER_MS = 10_000;

const [signal = 'SIGTERM', program = '', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

child.once('spawn', () => process.send?.({ pid: child.pid }));
child.once('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));

function stop(): void {
  child.kill(signal as NodeJS.Signals);
  setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
}

process.once('message', stop);
process.once('disconnect', stop);
// The parent gets them as well and decides about the order; we wait for it.
for (const it of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(it, () => undefined);
