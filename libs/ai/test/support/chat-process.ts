import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ProviderOptionsInput } from '../../src/client/provider.options.js';
import { type ChatRequestInput } from '../../src/chat/chat-request.js';

/** What a child is started for: one question, in a cluster with others. */
export interface ChildTask {
  readonly prefix: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly provider: ProviderOptionsInput;
  readonly request: ChatRequestInput;
  /** It stops when the reply has ended, and before it is in the cache. */
  readonly haltBeforeStoring?: boolean;
}

/** What a child has come to. */
export type ChildReport =
  | { readonly event: 'asked' | 'shown' | 'ended' }
  | { readonly event: 'answered'; readonly text: string }
  | { readonly event: 'failed'; readonly code: string };

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const HOOKS = pathOf('../../../cache/test/proof/typescript-preload.mjs');

/** A caller of the library in a process of its own. */
export class ChatProcess {
  readonly reports: ChildReport[] = [];
  readonly #child: ChildProcess;

  constructor(task: ChildTask) {
    this.#child = fork(pathOf('chat-child.ts'), [JSON.stringify(task)], {
      execArgv: ['--conditions=@peregrine/source', '--import', HOOKS],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (report: ChildReport) => this.reports.push(report));
  }

  has(event: ChildReport['event']): boolean {
    if (this.#isOver && !this.#child.killed) throw new Error('The process has ended by itself');
    return this.reports.some((it) => it.event === event);
  }

  /** The last word: its answer, or what it has failed with. */
  get outcome(): ChildReport | undefined {
    return this.reports.find((it) => it.event === 'answered' || it.event === 'failed');
  }

  /** At once, without a chance to hand over. */
  async kill(): Promise<void> {
    if (this.#isOver) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
