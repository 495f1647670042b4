import { join } from 'node:path';
import { TortureSetupError } from '../testing.errors.js';
import { type ExecutionRecord } from './execution-record.js';
import { type TortureWorkerSettings } from './torture-worker.js';
import { WorkerProcess } from './worker-process.js';

export interface CrewInput {
  readonly size: number;
  readonly module: string;
  /** For the journals. */
  readonly folder: string;
  readonly queue: TortureWorkerSettings['queue'];
  readonly nodeArguments: readonly string[];
  readonly record: ExecutionRecord;
}

/** Loaded processes that take the place of killed ones: to load takes longer than to die. */
const SPARES = 2;
const STOP_TIMEOUT_MS = 15_000;

/** Worker processes, always so many at work. */
export class WorkerCrew {
  #members: WorkerProcess[] = [];
  #hired = 0;
  #kills = 0;
  #crashes = 0;

  constructor(private readonly input: CrewInput) {}

  get kills(): number {
    return this.#kills;
  }

  /** Processes that ended by themselves while they worked. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Processes that have begun a task, as far as is known. */
  busy(): WorkerProcess[] {
    return this.#members.filter((it) => it.hasBegun && !it.isGone);
  }

  /**
   * Takes note of what was done, and replaces the dead.
   *
   * @throws {TortureSetupError} a process ended before it came to work
   */
  tend(): void {
    const gone = this.#members.filter((it) => it.isGone);
    this.#members = this.#members.filter((it) => !it.isGone);
    for (const member of gone) this.#leave(member);
    for (const member of this.#members) this.#note(member);
    const failed = gone.find((it) => !it.hasWorked);
    if (failed) throw new TortureSetupError(`a worker process ended at its start\n${failed.output}`);
    this.#crashes += gone.length;
    while (this.#members.length < this.input.size + SPARES) this.#members.push(this.#hire());
    for (const member of this.#members.slice(0, this.input.size)) member.work();
  }

  async kill(member: WorkerProcess): Promise<void> {
    this.#kills++;
    this.#members = this.#members.filter((it) => it !== member);
    await member.kill();
    this.#leave(member);
    this.tend();
  }

  /** Lets all of them finish, within bounds. */
  async dismiss(): Promise<void> {
    const members = this.#members;
    this.#members = [];
    await Promise.all(
      members.map(async (it) => {
        await (it.hasWorked ? it.stop(STOP_TIMEOUT_MS) : it.kill());
        this.#leave(it);
      }),
    );
  }

  #leave(member: WorkerProcess): void {
    this.#note(member);
    member.closeJournal();
  }

  #note(member: WorkerProcess): void {
    for (const entry of member.entries()) this.input.record.note(entry);
  }

  #hire(): WorkerProcess {
    const { module, folder, queue, nodeArguments } = this.input;
    const journal = join(folder, `worker-${++this.#hired}.ndjson`);
    return new WorkerProcess({ module, journal, queue }, nodeArguments);
  }
}
