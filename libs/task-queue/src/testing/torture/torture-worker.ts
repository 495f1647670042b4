import { createTaskQueue, type TaskHandlerInput, type TaskWithHandler } from '../../create-task-queue.js';
import { type AnyTaskDefinition } from '../../definition/task-definition.js';
import {
  type BatchTaskExecutor,
  type TaskContext,
  type TaskExecutor,
} from '../../definition/task-executor.js';
import { type TaskQueueOptionsInput } from '../../task-queue.options.js';
import { JournalWriter } from './journal.js';

/** What a worker process is started with. */
export interface TortureWorkerSettings {
  /** URL of the user's module. */
  readonly module: string;
  readonly journal: string;
  readonly queue: Pick<TaskQueueOptionsInput, 'backend' | 'prefix' | 'worker' | 'retention'>;
}

/** From the torturer. */
export type TortureCommand =
  { readonly kind: 'work' } | { readonly kind: 'block'; readonly forMs: number } | { readonly kind: 'stop' };

/** To the torturer: everything is loaded; it works. */
export type TortureNotice = 'loaded' | 'working';

/** The exports of the user's module. */
interface TortureModule {
  readonly tasks?: readonly TaskWithHandler[] | (() => MaybePromise<readonly TaskWithHandler[]>);
}

type MaybePromise<T> = T | Promise<T>;

/** The whole life of a worker process. Loads everything, then waits for the command to work. */
export async function runTortureWorker({ module, journal, queue }: TortureWorkerSettings): Promise<void> {
  const writer = new JournalWriter(journal);
  const tasks = (await loadTasks(module)).map((it) => observed(it, writer));
  let stop = () => Promise.resolve();
  process.on('message', (command: TortureCommand) => {
    if (command.kind === 'block') block(command.forMs);
    if (command.kind === 'stop') void stop().finally(() => process.exit(0));
    if (command.kind === 'work') {
      const opening = createTaskQueue({ ...queue, tasks });
      stop = async () => (await opening).close();
      opening.then(
        () => notify('working'),
        (error: unknown) => fail(error),
      );
    }
  });
  // Nobody must be left behind by a torturer that died.
  process.on('disconnect', () => process.exit(1));
  notify('loaded');
}

async function loadTasks(url: string): Promise<readonly TaskWithHandler[]> {
  const { tasks } = (await import(url)) as TortureModule;
  const list = typeof tasks === 'function' ? await tasks() : tasks;
  if (Array.isArray(list)) return list as readonly TaskWithHandler[];
  throw new TypeError(`${url} exports no list \`tasks\` of { definition, handler }`);
}

function observed({ definition, handler }: TaskWithHandler, journal: JournalWriter): TaskWithHandler {
  if (!handler) return { definition };
  const entry = ({ id, fence }: TaskContext) => ({ task: definition.name, id, fence });
  const begin = (ctx: TaskContext) => journal.write({ event: 'begun', ...entry(ctx) });
  const end = (ctx: TaskContext) => journal.write({ event: 'ended', ...entry(ctx) });
  const failed = (ctx: TaskContext, error: unknown) =>
    journal.write({ event: 'ended', ...entry(ctx), error: String(error) });
  return { definition, handler: 'executeBatch' in handler ? batch(handler) : single(handler) };

  function single(of: Exclude<TaskHandlerInput<AnyTaskDefinition>, BatchTaskExecutor<AnyTaskDefinition>>) {
    const executor: TaskExecutor<AnyTaskDefinition> = typeof of === 'function' ? { execute: of } : of;
    const execute = async (payload: unknown, ctx: TaskContext) => {
      begin(ctx);
      try {
        const value = await executor.execute(payload, ctx);
        end(ctx);
        return value;
      } catch (error) {
        failed(ctx, error);
        throw error;
      }
    };
    return { execute };
  }

  function batch(executor: BatchTaskExecutor<AnyTaskDefinition>): BatchTaskExecutor<AnyTaskDefinition> {
    return {
      executeBatch: async (items) => {
        for (const { ctx } of items) begin(ctx);
        try {
          const results = await executor.executeBatch(items);
          items.forEach(({ ctx }, index) => {
            const result = results[index];
            if (result?.ok) end(ctx);
            else failed(ctx, result?.error ?? new Error('no result'));
          });
          return results;
        } catch (error) {
          for (const { ctx } of items) failed(ctx, error);
          throw error;
        }
      },
    };
  }
}

/** Nothing else happens in this thread meanwhile, as in a handler that computes without a pause. */
function block(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

function notify(notice: TortureNotice): void {
  process.send?.(notice);
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
