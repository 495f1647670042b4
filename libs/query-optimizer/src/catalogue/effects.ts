import { type SessionChange } from '../analysis/session-change.js';
import { type CatalogueRelation } from './snapshot.js';
import { type UncacheableCode, type UncacheableReason } from './resolved-statement.js';

/** What has been found out about one statement so far. */
export class Effects {
  readonly reads = new Map<number, CatalogueRelation>();
  /** Tables also read by something else than a name in the text: a view, a function, a policy. */
  readonly readIndirectly = new Set<number>();
  readonly writes = new Map<number, CatalogueRelation>();
  /** Tables also written by a cascade, a trigger or a function. */
  readonly writtenIndirectly = new Set<number>();
  readonly unknownWriters = new Set<string>();
  readonly #reasons = new Map<UncacheableCode, UncacheableReason>();
  readRowSecurity = false;
  sessionChange: SessionChange = 'none';

  /** The first reason of each kind is kept. */
  uncacheable(code: UncacheableCode, message: string): void {
    if (!this.#reasons.has(code)) this.#reasons.set(code, Object.freeze({ code, message }));
  }

  has(code: UncacheableCode): boolean {
    return this.#reasons.has(code);
  }

  get reasons(): readonly UncacheableReason[] {
    return [...this.#reasons.values()];
  }
}
