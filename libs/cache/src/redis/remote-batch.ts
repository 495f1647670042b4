import { Packr } from 'msgpackr';
import { CacheFormatError } from '../cache.errors.js';
import type { Scope } from '../coherence/scopes.js';
import type { NotedGenerations } from '../entry.js';

/** Generations outlive the entries that depend on them by this. */
const GENERATION_GRACE_MS = 3_600_000;

/** Plain MessagePack, as `cmsgpack` of Redis reads and writes it. */
const packr = new Packr({ useRecords: false });

/** The scope of an entry without its kind: `<namespace>:<key>`. */
export const addressOfEntry = (entry: Scope): string => entry.slice(2);

/** What has a life time. */
interface Timed {
  readonly hardMs: number;
  readonly freshMs: number;
}

export interface ReadRequest {
  readonly entry: Scope;
  readonly dependencies: readonly Scope[];
  /** See `ReadOptions.note`. */
  readonly note?: boolean;
}

export interface WriteRequest {
  readonly entry: Scope;
  readonly noted: NotedGenerations;
  readonly draft: Timed;
  readonly lease?: { readonly token: string } | undefined;
}

export interface SetRequest {
  readonly entry: Scope;
  readonly dependencies: readonly Scope[];
  readonly draft: Timed;
}

/** Whole milliseconds, at least one of life. */
const hardOf = ({ hardMs }: Timed) => Math.max(1, Math.floor(hardMs));
const freshOf = ({ freshMs }: Timed) => Math.max(0, Math.floor(freshMs));

/** Lists that many entries share are sent once; they are told apart by identity, or by what they hold. */
class Lists<L extends unknown[]> {
  readonly all: L[] = [];
  readonly #numbers = new Map<unknown, number>();

  /** @returns its number, from 1 */
  numberOf(identity: unknown, content: () => string, make: () => L): number {
    const known = this.#numbers.get(identity);
    if (known !== undefined) return known;
    const text = content();
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.all.push(make());
      this.#numbers.set(text, number);
    }
    this.#numbers.set(identity, number);
    return number;
  }
}

const SEPARATOR = '\0';

/** See READ_MANY. `listOf` has the number of the list of each request, 0 for a plain read. */
export function packReads(requests: readonly ReadRequest[]): {
  readonly packed: Buffer;
  readonly listOf: readonly number[];
} {
  const lists = new Lists<Scope[]>();
  const listOf = requests.map(({ dependencies, note = true }) =>
    dependencies.length === 0 || !note
      ? 0
      : lists.numberOf(
          dependencies,
          () => dependencies.join(SEPARATOR),
          () => [...dependencies],
        ),
  );
  const entries = requests.flatMap(({ entry }, i) => [addressOfEntry(entry), listOf[i]]);
  return { packed: packr.pack([lists.all, entries]), listOf };
}

/** See WRITE. */
export function packWrites(requests: readonly WriteRequest[]): Buffer {
  const lists = new Lists<(Scope | number)[]>();
  const entries = requests.flatMap(({ entry, noted, draft, lease }) => {
    const texts = noted.tokens.map((it) => it.toString('latin1'));
    const flat = noted.scopes.flatMap((scope, i) => [scope, texts[i] ?? '']);
    // Read in one batch, they share their tokens.
    const number = lists.numberOf(
      noted.tokens,
      () => flat.join(SEPARATOR),
      () => [0, ...flat],
    );
    live(lists.all[number - 1], draft);
    return [
      addressOfEntry(entry),
      number,
      hardOf(draft),
      freshOf(draft),
      noted.key.toString('latin1'),
      lease?.token ?? '',
    ];
  });
  return packr.pack([lists.all, entries]);
}

/** See SET. */
export function packSets(requests: readonly SetRequest[]): Buffer {
  const lists = new Lists<(Scope | number)[]>();
  const entries = requests.flatMap(({ entry, dependencies, draft }) => {
    const number = lists.numberOf(
      dependencies,
      () => dependencies.join(SEPARATOR),
      () => [0, ...dependencies],
    );
    live(lists.all[number - 1], draft);
    return [addressOfEntry(entry), number, hardOf(draft), freshOf(draft)];
  });
  return packr.pack([lists.all, entries]);
}

/** The first of a list is how long its generations are to live: longer than every entry that depends on them. */
function live(list: (Scope | number)[] | undefined, times: Timed): void {
  if (list !== undefined) list[0] = Math.max(list[0] as number, hardOf(times) + GENERATION_GRACE_MS);
}

/** As the scripts take a list of scopes. */
export const packScopes = (scopes: readonly Scope[]): Buffer => packr.pack(scopes);

/** `[scope, generation, scope, generation, …]`. @throws {CacheFormatError} */
export function unpackFlat(bytes: Buffer): string[] {
  let flat: unknown;
  try {
    flat = packr.unpack(bytes);
  } catch (error) {
    throw new CacheFormatError('not MessagePack', { cause: error });
  }
  // An empty list is an empty map in Lua.
  return Array.isArray(flat) ? (flat as string[]) : [];
}
