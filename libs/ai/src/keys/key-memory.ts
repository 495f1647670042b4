import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** Longer values are remembered as their hash: they may hold anything, and there are many. */
const SHOWN_CHARS = 80;

/** What a key was made from. */
export interface KeyForm {
  /** Keys of different groups are never compared: kind and tenant. */
  readonly group: string;
  readonly contentHash: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Where two keys differ. */
export interface KeyDifference {
  readonly nearest: string;
  /** By name of the field; a value that one of them lacks is undefined. Sorted by field. */
  readonly fields: readonly { readonly field: string; readonly ours?: string; readonly theirs?: string }[];
}

interface Remembered {
  readonly group: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** The latest keys with what they were made from, short enough to be kept and shown. */
export class KeyMemory {
  /** In the order of their latest use. */
  readonly #forms = new Map<string, Remembered>();

  constructor(private readonly maxKeys: number) {}

  remember(key: string, form: KeyForm): void {
    const known = this.#forms.get(key);
    if (known) this.#forms.delete(key);
    if (this.maxKeys === 0) return;
    this.#forms.set(key, known ?? { group: form.group, fields: fieldsOf(form) });
    if (this.#forms.size <= this.maxKeys) return;
    const [oldest] = this.#forms.keys();
    if (oldest !== undefined) this.#forms.delete(oldest);
  }

  /** Compares with every key that is remembered: for people who ask, not for the way of a request. */
  nearest(key: string): KeyDifference | undefined {
    const own = this.#forms.get(key);
    if (!own) return undefined;
    let best: KeyDifference | undefined;
    for (const [other, form] of this.#forms) {
      if (other === key || form.group !== own.group) continue;
      const fields = differences(own.fields, form.fields);
      // Of two that are as near, the later.
      if (!best || fields.length <= best.fields.length) best = { nearest: other, fields };
    }
    return best;
  }
}

function differences(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>) {
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return names
    .filter((it) => ours.get(it) !== theirs.get(it))
    .map((field) => {
      const [our, their] = [ours.get(field), theirs.get(field)];
      return {
        field,
        ...(our === undefined ? {} : { ours: our }),
        ...(their === undefined ? {} : { theirs: their }),
      };
    });
}

function fieldsOf({ contentHash, options }: KeyForm): Map<string, string> {
  const fields = new Map([['content', `sha256:${contentHash.slice(0, 16)}`]]);
  for (const [name, value] of Object.entries(options)) {
    // The same for all that are compared.
    if (value === undefined || name === 'tenant') continue;
    const text = canonicalJson(value, name);
    fields.set(
      name,
      text.length <= SHOWN_CHARS ? text : `sha256:${shortHash(text)} (${text.length} characters)`,
    );
  }
  return fields;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
