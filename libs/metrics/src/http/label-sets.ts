import { OVERFLOW_LABEL, UNMATCHED_ROUTE } from '../metrics.tokens.js';

/** How a request ended. `aborted`: the client went away before the response was complete. */
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;

/** Index in {@link STATUS_CLASSES}. */
export const CLASS_5XX = STATUS_CLASSES.indexOf('5xx');
const CLASS_ABORTED = STATUS_CLASSES.indexOf('aborted');
const CLASSES = STATUS_CLASSES.length;

/** Methods that may become a label value; whatever else a client invents is `OTHER`. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);
const OTHER_METHOD = 'OTHER';

/** Routes that get a place of their own. An application that has more shares `maxLabelSets` for the others. */
const MAX_RESERVED = 20_000;

/** The slot of all that found no place. */
const OVERFLOW_SLOT = 0;

interface Slot {
  readonly labels: { readonly method: string; readonly route: string };
  isReserved: boolean;
}

/**
 * Which label sets exist, and under which numbers: a slot for each method and route template, in it a row for each status
 * class that was seen. A reserved slot always gets its rows; the others share `maxLabelSets` rows, and what finds no place
 * goes to the overflow. So the number of rows is bounded by the routes of the application, never by what clients send.
 */
export class LabelSets {
  /** Observations that went to the overflow rows. */
  overflowed = 0;

  readonly #maxLabelSets: number;
  readonly #slots: Slot[] = [];
  readonly #slotOf = new Map<string, number>();
  /** Row of (slot, class), or -1. */
  readonly #rowOf: number[] = [];
  readonly #rows: { readonly slot: number; readonly classIndex: number }[] = [];
  #reservedSlots = 0;
  /** Rows of slots that are not reserved. */
  #sharedRows = 0;

  /** @param maxLabelSets rows that are not reserved */
  constructor(maxLabelSets: number) {
    this.#maxLabelSets = maxLabelSets;
    this.#addSlot(OVERFLOW_LABEL, OVERFLOW_LABEL, true);
    // The overflow's rows come first, so that there is always room for them.
    for (let classIndex = 0; classIndex < CLASSES; classIndex++) this.#addRow(OVERFLOW_SLOT, classIndex);
    // Scanners must not be able to hide themselves in the overflow.
    for (const method of [...METHODS, OTHER_METHOD]) this.reserve(method, undefined);
  }

  /** Number of slots. */
  get slotCount(): number {
    return this.#slots.length;
  }

  /** Number of rows, those of the overflow included. */
  get rowCount(): number {
    return this.#rows.length;
  }

  /**
   * Keeps a place for a route that exists: it counts under its own name from now on, whatever came before it.
   *
   * @param route the template; undefined for what matches none
   */
  reserve(method: string, route: string | undefined): void {
    const known = this.#slotOf.get(keyOf(method, route));
    if (known !== undefined && (this.#slots[known] as Slot).isReserved) return;
    if (this.#reservedSlots >= MAX_RESERVED) return;
    this.#reservedSlots++;
    if (known === undefined) {
      this.#addSlot(labelOf(method), route ?? UNMATCHED_ROUTE, true);
      return;
    }
    (this.#slots[known] as Slot).isReserved = true;
    this.#sharedRows -= this.#rows.filter((it) => it.slot === known).length;
  }

  /**
   * The number under which a route's requests are counted; ask once for a route and keep it.
   *
   * @param route the template, such as `/files/:id`; undefined when nothing matched
   */
  slotOf(method: string, route: string | undefined): number {
    const known = this.#slotOf.get(keyOf(method, route));
    if (known !== undefined) return known;
    // A slot gets no row beyond the cap, so more slots than label sets are of no use.
    if (this.#slots.length - this.#reservedSlots > this.#maxLabelSets) return OVERFLOW_SLOT;
    return this.#addSlot(labelOf(method), route ?? UNMATCHED_ROUTE, false);
  }

  /** The row of an observation; the overflow's when there is no room. O(1). */
  rowFor(slot: number, statusCode: number, aborted: boolean): number {
    const classIndex = aborted ? CLASS_ABORTED : classOf(statusCode);
    const row = this.#rowOf[slot * CLASSES + classIndex] as number;
    if (row >= 0 && slot !== OVERFLOW_SLOT) return row;
    if (slot !== OVERFLOW_SLOT) {
      const { isReserved } = this.#slots[slot] as Slot;
      if (isReserved || this.#sharedRows < this.#maxLabelSets) {
        if (!isReserved) this.#sharedRows++;
        return this.#addRow(slot, classIndex);
      }
    }
    this.overflowed++;
    return classIndex;
  }

  /** Index in {@link STATUS_CLASSES}. */
  classOfRow(row: number): number {
    return (this.#rows[row] as { classIndex: number }).classIndex;
  }

  labelsOfRow(row: number): { method: string; route: string; status: string } {
    const { slot, classIndex } = this.#rows[row] as { slot: number; classIndex: number };
    return { ...this.labelsOfSlot(slot), status: STATUS_CLASSES[classIndex] as string };
  }

  labelsOfSlot(slot: number): { method: string; route: string } {
    return (this.#slots[slot] as Slot).labels;
  }

  #addSlot(method: string, route: string, isReserved: boolean): number {
    const slot = this.#slots.push({ labels: { method, route }, isReserved }) - 1;
    this.#slotOf.set(`${method} ${route}`, slot);
    for (let i = 0; i < CLASSES; i++) this.#rowOf.push(-1);
    return slot;
  }

  #addRow(slot: number, classIndex: number): number {
    const row = this.#rows.push({ slot, classIndex }) - 1;
    this.#rowOf[slot * CLASSES + classIndex] = row;
    return row;
  }
}

function keyOf(method: string, route: string | undefined): string {
  return `${labelOf(method)} ${route ?? UNMATCHED_ROUTE}`;
}

function labelOf(method: string): string {
  return METHODS.has(method) ? method : OTHER_METHOD;
}

function classOf(statusCode: number): number {
  const hundreds = Math.floor(statusCode / 100);
  return hundreds >= 1 && hundreds <= 5 ? hundreds - 1 : CLASS_5XX;
}
