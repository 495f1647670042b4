const MEBIBYTE = 1_048_576;

/** What the ledger says of the last 24 hours. */
export interface Spent {
  /** Builds that were begun. */
  readonly indexes: number;
  /** Room of those that stayed. */
  readonly bytes: number;
}

/** How much may be built within any 24 hours. */
export class DailyBudget {
  constructor(private readonly limits: { readonly indexesPerDay: number; readonly bytesPerDay: number }) {}

  /** Why an index of about this size may not be built now; null when it may. */
  refusal({ indexes, bytes }: Spent, sizeBytes: number): string | null {
    const { indexesPerDay, bytesPerDay } = this.limits;
    if (indexes >= indexesPerDay)
      return `Waits for the budget: ${indexes} of ${indexesPerDay} builds of the last 24 hours are used`;
    if (bytes + sizeBytes > bytesPerDay) {
      const [used, all, size] = [bytes, bytesPerDay, sizeBytes].map((it) => (it / MEBIBYTE).toFixed(1));
      return `Waits for the budget: ${used} of ${all} MB of the last 24 hours are used, and it takes some ${size} MB`;
    }
    return null;
  }

  /** What the next index may take at most; what turns out to be larger does not stay. */
  bytesLeft({ bytes }: Spent): number {
    return Math.max(0, this.limits.bytesPerDay - bytes);
  }
}
