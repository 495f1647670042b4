import { type DeadLetter, type DeadLetterGroup } from './dead-letter.js';

const IDS_SHOWN = 5;

/** Gathers dead letters by fingerprint; they come with the latest failure first. */
export class DeadLetterGroups {
  readonly #groups = new Map<string, { -readonly [K in keyof DeadLetterGroup]: DeadLetterGroup[K] }>();

  add(letters: readonly DeadLetter[]): void {
    for (const { fingerprint, task, error, failedAt, id } of letters) {
      const group = this.#groups.get(fingerprint);
      if (group) {
        group.count++;
        group.firstFailedAt = failedAt;
        if (group.ids.length < IDS_SHOWN) group.ids = [...group.ids, id];
      } else {
        const times = { firstFailedAt: failedAt, lastFailedAt: failedAt };
        this.#groups.set(fingerprint, { fingerprint, task, error, count: 1, ...times, ids: [id] });
      }
    }
  }

  largestFirst(): DeadLetterGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }
}
