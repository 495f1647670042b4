import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('coherence-child.mjs', import.meta.url));

interface Reply {
  readonly id: number;
  readonly result: unknown;
  readonly violations: readonly string[];
}

/** A process with an optimizer and a store of its own. */
export class CoherenceProcess {
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #violations: string[] = [];
  #last = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (reply: Reply) => {
      this.#violations.push(...reply.violations);
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    child.on('exit', () => {
      for (const it of this.#waiting.values()) it({ id: 0, result: null, violations: [] });
    });
  }

  static async start(url: string, replicas: readonly string[]): Promise<CoherenceProcess> {
    const flags = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [...flags, CHILD, url, ...replicas], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const started = new CoherenceProcess(child);
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the child ended with ${String(code)}`);
      }),
    ]);
    return started;
  }

  async ask(type: string, order: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(id, resolve);
    this.child.send({ id, type, ...order });
    return (await promise).result;
  }

  /** What has been seen that must not be, since the last call. */
  takeViolations(): string[] {
    return this.#violations.splice(0);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.send({ id: ++this.#last, type: 'stop' });
    await exit;
  }
}
