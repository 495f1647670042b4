import { CacheFormatError } from '../cache.errors.js';
import type { Scope } from '../coherence/scopes.js';
import { unpackFlat } from './remote-batch.js';

/** What Redis holds of an entry: when it ends, the generations it was made under, and its envelope. */
export interface EntryRecord {
  /** End of its whole life, milliseconds of the clock of Redis. */
  readonly hardUntil: number;
  /** End of its fresh life, as `hardUntil`. */
  readonly freshUntil: number;
  /** `[scope, generation, scope, generation, …]` of what it depends on. */
  readonly dependencies: readonly string[];
  readonly envelope: Buffer;
}

const LIST_AT = 20;

/**
 * f64 end of the whole life · f64 end of the fresh life · u32 length and MessagePack of the dependencies · envelope.
 * Big endian. Written by the scripts, since only Redis knows its time.
 *
 * @throws {CacheFormatError}
 */
export function readRecord(bytes: Buffer, reader: DependencyReader): EntryRecord {
  const end = bytes.length < LIST_AT ? Infinity : LIST_AT + bytes.readUInt32BE(16);
  if (bytes.length < end) throw new CacheFormatError('a record is too short');
  return {
    hardUntil: bytes.readDoubleBE(0),
    freshUntil: bytes.readDoubleBE(8),
    dependencies: reader.read(bytes.subarray(LIST_AT, end)),
    envelope: bytes.subarray(end),
  };
}

/** Reads lists of dependencies; remembers the last one, since entries that are read together mostly share it. */
export class DependencyReader {
  #packed: Buffer = Buffer.alloc(0);
  #list: readonly string[] = [];

  read(packed: Buffer): readonly string[] {
    if (packed.equals(this.#packed)) return this.#list;
    this.#list = unpackFlat(packed);
    // A copy: the bytes are a piece of what was received, all of which they would keep in memory.
    this.#packed = Buffer.from(packed);
    return this.#list;
  }
}

/** The scopes it depends on. */
export const scopesOf = ({ dependencies }: EntryRecord): Scope[] =>
  dependencies.filter((_, i) => i % 2 === 0);

/** Generations as Redis gave them at one moment. */
export class GenerationSnapshot {
  /** By scope; made when it is needed first. */
  #byScope: Map<Scope, Buffer | null> | undefined;
  /** By list: entries that are read together share it. */
  readonly #verdicts = new Map<readonly string[], boolean>();

  /**
   * @param scopes those that were asked for
   * @param reply holds their generations in their order; null for one without
   * @param from where in the reply they begin
   */
  constructor(
    private readonly scopes: readonly Scope[],
    private readonly reply: readonly (Buffer | null)[],
    private readonly from: number,
  ) {}

  /** Whether all dependencies of the record are among these, and as they were. */
  covers({ dependencies }: EntryRecord): boolean {
    let verdict = this.#verdicts.get(dependencies);
    if (verdict === undefined) this.#verdicts.set(dependencies, (verdict = this.#covers(dependencies)));
    return verdict;
  }

  #covers(dependencies: readonly string[]): boolean {
    for (let i = 0; 2 * i < dependencies.length; i++) {
      const scope = dependencies[2 * i] as Scope;
      // Mostly they were stored with what is asked for.
      const token = scope === this.scopes[i] ? this.reply[this.from + i] : this.#tokenOf(scope);
      if (token == null || token.toString('latin1') !== dependencies[2 * i + 1]) return false;
    }
    return true;
  }

  #tokenOf(scope: Scope): Buffer | null | undefined {
    this.#byScope ??= new Map(this.scopes.map((it, i) => [it, this.reply[this.from + i] ?? null]));
    return this.#byScope.get(scope);
  }
}
