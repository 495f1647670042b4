export interface PendingUse {
  readonly memoryId: string;
  /** In how many answers it was shown. */
  accesses: number;
  /** Whether it was among the most relevant of one. */
  isUse: boolean;
  at: Date;
}

export interface PendingPair {
  readonly workspaceId: string;
  readonly firstId: string;
  readonly secondId: string;
  times: number;
  at: Date;
}

/** What is written together. */
export interface PendingFeedback {
  readonly uses: readonly PendingUse[];
  readonly pairs: readonly PendingPair[];
  readonly answers: readonly { readonly workspaceId: string; readonly answers: number }[];
}

/** Answers that wait to be written, each memory and pair once. Bounded: what finds no room is dropped and counted. */
export class FeedbackBuffer {
  #uses = new Map<string, PendingUse>();
  #pairs = new Map<string, PendingPair>();
  #answers = new Map<string, number>();
  #dropped = 0;

  constructor(private readonly maxPending: number) {}

  get dropped(): number {
    return this.#dropped;
  }

  /** @param reinforced how many of them, from the first on, count as used */
  add(workspaceId: string, memoryIds: readonly string[], reinforced: number, at: Date): void {
    this.#answers.set(workspaceId, (this.#answers.get(workspaceId) ?? 0) + 1);
    for (const [place, memoryId] of memoryIds.entries()) this.#use(memoryId, place < reinforced, at);
    for (const [place, one] of memoryIds.entries()) {
      for (const other of memoryIds.slice(place + 1)) this.#pair(workspaceId, one, other, at);
    }
  }

  /** All that waits, which then waits no more; undefined for nothing. */
  take(): PendingFeedback | undefined {
    if (this.#answers.size === 0) return undefined;
    const taken = {
      uses: [...this.#uses.values()],
      pairs: [...this.#pairs.values()],
      answers: [...this.#answers].map(([workspaceId, answers]) => ({ workspaceId, answers })),
    };
    this.#uses = new Map();
    this.#pairs = new Map();
    this.#answers = new Map();
    return taken;
  }

  lost({ uses, pairs }: PendingFeedback): void {
    this.#dropped += uses.length + pairs.length;
  }

  #use(memoryId: string, isUse: boolean, at: Date): void {
    const known = this.#uses.get(memoryId);
    if (known) {
      known.accesses++;
      known.isUse ||= isUse;
      known.at = at;
    } else if (this.#hasRoom()) this.#uses.set(memoryId, { memoryId, accesses: 1, isUse, at });
  }

  #pair(workspaceId: string, one: string, other: string, at: Date): void {
    const [firstId, secondId] = one < other ? [one, other] : [other, one];
    const key = firstId + secondId;
    const known = this.#pairs.get(key);
    if (known) {
      known.times++;
      known.at = at;
    } else if (this.#hasRoom()) this.#pairs.set(key, { workspaceId, firstId, secondId, times: 1, at });
  }

  #hasRoom(): boolean {
    if (this.#uses.size + this.#pairs.size < this.maxPending) return true;
    this.#dropped++;
    return false;
  }
}
