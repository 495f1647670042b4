import { type Statement } from '../analysis/statement.js';
import { TrackedStatement } from './tracked-statement.js';

/** When there is no place left, what is not slow goes, this share at once. */
const CLEARED_SHARE = 0.1;

/** The groups that are watched, by fingerprint. Bounded. */
export class TrackedStatements {
  readonly #all = new Map<string, TrackedStatement>();

  constructor(private readonly max: number) {}

  get(fingerprint: string): TrackedStatement | undefined {
    return this.#all.get(fingerprint);
  }

  all(): TrackedStatement[] {
    return [...this.#all.values()];
  }

  /** For a slow one: in the place of the one that matters least, if need be. */
  admit(statement: Statement): TrackedStatement {
    return this.#all.get(statement.fingerprint) ?? this.put(TrackedStatement.of(statement));
  }

  /** For any other: undefined when there is no place. */
  admitIfRoom(statement: Statement): TrackedStatement | undefined {
    const known = this.#all.get(statement.fingerprint);
    if (known || this.#all.size >= this.max) return known;
    return this.put(TrackedStatement.of(statement));
  }

  put(track: TrackedStatement): TrackedStatement {
    if (this.#all.size >= this.max) this.#drop(1);
    this.#all.set(track.fingerprint, track);
    return track;
  }

  /** What became busy later shall have a chance. */
  makeRoom(): void {
    if (this.#all.size >= this.max) this.#drop(Math.ceil(this.max * CLEARED_SHARE), false);
  }

  #drop(count: number, alsoSlow = true): void {
    const least = this.all()
      .filter((it) => alsoSlow || !it.isSlow)
      .sort((a, b) => Number(a.isSlow) - Number(b.isSlow) || a.weightMs - b.weightMs);
    for (const it of least.slice(0, count)) {
      it.forget();
      this.#all.delete(it.fingerprint);
    }
  }
}
