import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  afterClaim,
  afterFailure,
  companyOf,
  type Company,
  type IsolationRecord,
  NOTHING,
} from '../src/execution/isolation.js';

interface Kind {
  readonly batch?: { readonly size: number; readonly maxWaitMs: number };
  readonly attempts: number;
  readonly maxCrashes: number;
}

/** `poison` ends the process that runs it, `rotten` fails the call that it is in. */
type Nature = 'innocent' | 'poison' | 'rotten';

interface Task {
  readonly kind: Kind;
  readonly nature: Nature;
  state: 'waiting' | 'held' | 'completed' | 'failed' | 'poisoned';
  record: IsolationRecord;
  company: Company;
  claims: number;
  stalls: number;
  attempts: number;
  /** Processes that it has ended. */
  kills: number;
}

interface Process {
  claimed: Task[];
  held: Task[];
  calls: Task[][];
}

/** Every step is one that could come next in some order of events; the numbers choose which. */
class World {
  readonly processes: Process[];

  constructor(
    readonly tasks: readonly Task[],
    processes: number,
    private readonly claims: number,
    private readonly choose: (below: number) => number,
  ) {
    this.processes = Array.from({ length: processes }, () => ({ claimed: [], held: [], calls: [] }));
  }

  get isOver(): boolean {
    return this.tasks.every((it) => it.state !== 'waiting' && it.state !== 'held');
  }

  step(): void {
    const process = this.processes[this.choose(this.processes.length)]!;
    if (this.choose(50) === 0) return this.#stop(process);
    const steps = [
      () => this.#claim(process),
      () => this.#account(process),
      () => this.#begin(process),
      () => this.#end(process),
    ];
    steps[this.choose(steps.length)]!();
  }

  /** In good order: what it holds or runs goes back, and nobody has died. */
  #stop(process: Process): void {
    while (process.claimed.length > 0) this.#account(process);
    this.#giveBack(process);
  }

  #giveBack(process: Process): void {
    for (const task of holdings(process)) task.state = 'waiting';
    process.claimed = [];
    process.held = [];
    process.calls = [];
  }

  #claim(process: Process): void {
    const waiting = this.tasks.filter((it) => it.state === 'waiting');
    if (waiting.length === 0 || holdings(process).length >= this.claims) return;
    const task = waiting[this.choose(waiting.length)]!;
    task.claims++;
    task.state = 'held';
    process.claimed.push(task);
  }

  /** What is noted first; the process may end before. */
  #account(process: Process): void {
    const task = process.claimed.shift();
    if (!task) return;
    task.record = afterClaim(task.record, task.stalls, task.claims);
    if (task.record.crashes >= task.kind.maxCrashes) {
      task.state = 'poisoned';
      return;
    }
    task.company = companyOf(task.record, task.kind, task.attempts + 1);
    process.held.push(task);
  }

  #begin(process: Process): void {
    const first = process.held[this.choose(process.held.length)];
    if (!first || !mayBegin(process, first.company.turn)) return;
    const { company, kind } = first;
    const alike = process.held.filter((it) => it.kind === kind && sameCompany(it.company, company));
    const call = alike.slice(0, kind.batch ? company.size : 1);
    process.held = process.held.filter((it) => !call.includes(it));
    process.calls.push(call);
    if (company.turn === 'common') return;
    for (const task of call) {
      task.record = { ...task.record, trial: { claim: task.claims, alone: company.turn === 'alone' } };
    }
  }

  #end(process: Process): void {
    const call = process.calls[this.choose(process.calls.length)];
    if (!call) return;
    const poison = call.find((it) => it.nature === 'poison');
    if (poison) return this.#die(process, poison);
    process.calls = process.calls.filter((it) => it !== call);
    const isRotten = call.some((it) => it.nature === 'rotten');
    for (const task of call) {
      if (!isRotten) task.state = 'completed';
      else this.#fail(task, call.length > 1);
    }
  }

  #fail(task: Task, together: boolean): void {
    task.attempts++;
    task.record = afterFailure(task.record, together);
    task.state = task.attempts < task.kind.attempts ? 'waiting' : 'failed';
  }

  #die(process: Process, killer: Task): void {
    killer.kills++;
    for (const task of holdings(process)) task.stalls++;
    this.#giveBack(process);
  }
}

function holdings({ claimed, held, calls }: Process): Task[] {
  return [...claimed, ...held, ...calls.flat()];
}

function mayBegin({ calls }: Process, turn: Company['turn']): boolean {
  const turns = calls.map((call) => call[0]!.company.turn);
  if (turns.includes('alone')) return false;
  if (turn === 'alone') return calls.length === 0;
  return turn === 'common' || !turns.includes('suspects');
}

function sameCompany(one: Company, other: Company): boolean {
  return one.size === other.size && one.turn === other.turn;
}

/** As the README puts it: the first time, once for every size of its groups down to one, and `maxCrashes` alone. */
function mostDeaths({ batch, maxCrashes }: Kind): number {
  let groups = 1;
  for (let size = Math.floor((batch?.size ?? 1) / 8); size > 1; size = Math.floor(size / 8)) groups++;
  return 1 + groups + maxCrashes;
}

const kinds = fc.record({
  batch: fc.option(fc.record({ size: fc.integer({ min: 1, max: 80 }), maxWaitMs: fc.constant(0) }), {
    nil: undefined,
  }),
  attempts: fc.integer({ min: 2, max: 4 }),
  maxCrashes: fc.integer({ min: 1, max: 4 }),
});
const natures = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Nature>('innocent') },
    { weight: 1, arbitrary: fc.constant<Nature>('poison') },
    { weight: 1, arbitrary: fc.constant<Nature>('rotten') },
  ),
  { minLength: 1, maxLength: 60 },
);
const worlds = fc.record({
  queues: fc.array(fc.record({ kind: kinds, natures }), { minLength: 1, maxLength: 3 }),
  processes: fc.integer({ min: 1, max: 3 }),
  claims: fc.integer({ min: 1, max: 100 }),
  seed: fc.integer(),
});

describe('isolation', () => {
  it('finds what kills its workers at a bounded cost, and never blames a neighbour', () => {
    fc.assert(
      fc.property(worlds, ({ queues, processes, claims, seed }) => {
        const tasks = queues.flatMap(({ kind, natures }) => natures.map((nature) => newTask(kind, nature)));
        const world = new World(tasks, processes, claims, chooser(seed));
        for (let step = 0; !world.isOver && step < 1_000_000; step++) world.step();
        expect(world.isOver).toBe(true);
        const ends = { innocent: 'completed', rotten: 'failed', poison: 'poisoned' } as const;
        for (const { state, nature } of tasks)
          expect({ nature, state }).toEqual({ nature, state: ends[nature] });
        for (const { kind, kills } of tasks) expect(kills).toBeLessThanOrEqual(mostDeaths(kind));
      }),
      { numRuns: 300 },
    );
  });
});

function newTask(kind: Kind, nature: Nature): Task {
  const company = companyOf(NOTHING, kind, 1);
  return {
    kind,
    nature,
    state: 'waiting',
    record: NOTHING,
    company,
    claims: 0,
    stalls: 0,
    attempts: 0,
    kills: 0,
  };
}

/** Mulberry32: small, and the same everywhere. */
function chooser(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
