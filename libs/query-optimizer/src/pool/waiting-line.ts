import { QUERY_PRIORITIES, type QueryPriority } from './query-priority.js';

export interface Waiter {
  readonly priority: QueryPriority;
  /** Milliseconds of the monotonic clock. */
  readonly since: number;
}

/** How much longer than a high one a caller may be made to wait, milliseconds: what ages is served. */
export type Slack = Readonly<Record<QueryPriority, number>>;

/**
 * Who waits for a connection. A caller is due when it came plus the slack of its priority; whoever is due first is
 * next, so none starves: earliest deadline first, in constant time, since each priority by itself is in order.
 */
export class WaitingLine<W extends Waiter> {
  readonly #lines: Readonly<Record<QueryPriority, Set<W>>> = {
    high: new Set(),
    normal: new Set(),
    low: new Set(),
  };

  constructor(private readonly slack: Slack) {}

  get size(): number {
    return QUERY_PRIORITIES.reduce((sum, it) => sum + this.#lines[it].size, 0);
  }

  sizeOf(priority: QueryPriority): number {
    return this.#lines[priority].size;
  }

  /** When the caller that waits longest came; `undefined` when none waits. */
  get oldest(): number | undefined {
    const heads = QUERY_PRIORITIES.map((it) => this.#head(it)?.since).filter((it) => it !== undefined);
    return heads.length > 0 ? Math.min(...heads) : undefined;
  }

  add(waiter: W): void {
    this.#lines[waiter.priority].add(waiter);
  }

  /** @returns whether it waited */
  remove(waiter: W): boolean {
    return this.#lines[waiter.priority].delete(waiter);
  }

  /** Takes who is next. @param onlyHigh what is left is kept for high priority */
  take(onlyHigh: boolean): W | undefined {
    let next: W | undefined;
    for (const priority of onlyHigh ? (['high'] as const) : QUERY_PRIORITIES) {
      const head = this.#head(priority);
      if (head && (!next || this.#due(head) < this.#due(next))) next = head;
    }
    if (next) this.remove(next);
    return next;
  }

  /** Takes who came last among the least urgent, if less urgent than this. */
  takeLessUrgentThan(priority: QueryPriority): W | undefined {
    for (const candidate of QUERY_PRIORITIES.toReversed()) {
      if (candidate === priority) return undefined;
      const last = [...this.#lines[candidate]].at(-1);
      if (last) {
        this.remove(last);
        return last;
      }
    }
    return undefined;
  }

  takeAll(): W[] {
    const all = QUERY_PRIORITIES.flatMap((it) => [...this.#lines[it]]);
    for (const it of all) this.remove(it);
    return all;
  }

  #head(priority: QueryPriority): W | undefined {
    return this.#lines[priority].values().next().value;
  }

  #due({ since, priority }: W): number {
    return since + this.slack[priority];
  }
}
