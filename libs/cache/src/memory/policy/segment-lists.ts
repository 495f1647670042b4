/** Lists that an entry can be in. */
export const WINDOW = 0;
export const PROBATION = 1;
export const PROTECTED = 2;
/** Ids of entries start here; smaller ones stand for the ends of the lists. */
export const FIRST_ID = 3;

/** Fields of a record; the first is the previous id. Record `s` for `s` < 3 is the head of the circular list `s`. */
const NEXT = 1;
const SEGMENT = 2;
const HASH = 3;
const RECORD_BITS = 2;
const GROWTH = 1.5;

/**
 * Numbered entries, each in one of three lists in order of use. All in typed arrays, in records of four fields one
 * after the other: a hit touches few cache lines and nothing that the garbage collector has to look at.
 */
export class SegmentLists {
  #records: Int32Array;
  #weights: Float64Array;
  readonly #counts = new Int32Array(3);
  readonly #loads = new Float64Array(3);
  #freeId = 0;
  #nextId = FIRST_ID;
  #size = 0;
  #bytes = 0;

  constructor(capacity: number) {
    this.#records = new Int32Array((capacity + FIRST_ID) << RECORD_BITS);
    this.#weights = new Float64Array(capacity + FIRST_ID);
    for (let head = 0; head < FIRST_ID; head++) {
      this.#records[head << RECORD_BITS] = head;
      this.#records[(head << RECORD_BITS) + NEXT] = head;
    }
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Ids are below this. */
  get idLimit(): number {
    return this.#weights.length;
  }

  hashOf(id: number): number {
    return this.#records[(id << RECORD_BITS) + HASH]!;
  }

  weightOf(id: number): number {
    return this.#weights[id]!;
  }

  segmentOf(id: number): number {
    return this.#records[(id << RECORD_BITS) + SEGMENT]!;
  }

  /** Entries of a list. */
  count(segment: number): number {
    return this.#counts[segment]!;
  }

  /** Bytes of a list. */
  load(segment: number): number {
    return this.#loads[segment]!;
  }

  /** The oldest of a list; below `FIRST_ID` when it is empty. */
  tail(segment: number): number {
    return this.#records[segment << RECORD_BITS]!;
  }

  /** The one used next before this; below `FIRST_ID` when this is the most recent. */
  newer(id: number): number {
    return this.#records[id << RECORD_BITS]!;
  }

  /** Takes an entry in, at the head of a list or at its tail. */
  add(hash: number, weight: number, segment: number, atTail: boolean): number {
    const id = this.#allocate();
    this.#records[(id << RECORD_BITS) + HASH] = hash;
    this.#weights[id] = weight;
    this.#size++;
    this.#bytes += weight;
    this.#linkAfter(atTail ? this.tail(segment) : segment, id, segment);
    return id;
  }

  /** The id is free for another entry; its hash can be read until then. */
  remove(id: number): void {
    this.#unlink(id);
    this.#size--;
    this.#bytes = this.#size === 0 ? 0 : this.#bytes - this.#weights[id]!;
    this.#records[(id << RECORD_BITS) + NEXT] = this.#freeId;
    this.#freeId = id;
  }

  /** To the head of a list. */
  move(id: number, segment: number): void {
    this.#unlink(id);
    this.#linkAfter(segment, id, segment);
  }

  /** To the head of its own list: no sums change. */
  moveToHead(id: number): void {
    const records = this.#records;
    const at = id << RECORD_BITS;
    const segment = records[at + SEGMENT]!;
    const previous = records[at]!;
    if (previous === segment) return;
    const next = records[at + NEXT]!;
    records[(previous << RECORD_BITS) + NEXT] = next;
    records[next << RECORD_BITS] = previous;
    const head = segment << RECORD_BITS;
    const first = records[head + NEXT]!;
    records[at] = segment;
    records[at + NEXT] = first;
    records[first << RECORD_BITS] = id;
    records[head + NEXT] = id;
  }

  reweigh(id: number, weight: number): void {
    const change = weight - this.#weights[id]!;
    const segment = this.segmentOf(id);
    this.#weights[id] = weight;
    this.#bytes += change;
    this.#loads[segment] = this.#loads[segment]! + change;
  }

  #unlink(id: number): void {
    const records = this.#records;
    const at = id << RECORD_BITS;
    const previous = records[at]!;
    const next = records[at + NEXT]!;
    const segment = records[at + SEGMENT]!;
    records[(previous << RECORD_BITS) + NEXT] = next;
    records[next << RECORD_BITS] = previous;
    this.#counts[segment] = this.#counts[segment]! - 1;
    // Sums of fractions drift; an empty list weighs nothing.
    this.#loads[segment] = this.#counts[segment] === 0 ? 0 : this.#loads[segment]! - this.#weights[id]!;
  }

  #linkAfter(previous: number, id: number, segment: number): void {
    const records = this.#records;
    const at = id << RECORD_BITS;
    const next = records[(previous << RECORD_BITS) + NEXT]!;
    records[at] = previous;
    records[at + NEXT] = next;
    records[at + SEGMENT] = segment;
    records[(previous << RECORD_BITS) + NEXT] = id;
    records[next << RECORD_BITS] = id;
    this.#counts[segment] = this.#counts[segment]! + 1;
    this.#loads[segment] = this.#loads[segment]! + this.#weights[id]!;
  }

  #allocate(): number {
    const free = this.#freeId;
    if (free !== 0) {
      this.#freeId = this.#records[(free << RECORD_BITS) + NEXT]!;
      return free;
    }
    if (this.#nextId === this.#weights.length) this.#grow();
    return this.#nextId++;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#weights.length * GROWTH);
    const records = new Int32Array(capacity << RECORD_BITS);
    const weights = new Float64Array(capacity);
    records.set(this.#records);
    weights.set(this.#weights);
    this.#records = records;
    this.#weights = weights;
  }
}
