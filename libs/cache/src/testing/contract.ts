/**
 * One promise of a contract, as a test for any runner:
 * `for (const { title, run } of memoryTierContract(make)) it(title, run)`.
 */
export interface ContractCase {
  /** A sentence about behaviour. */
  readonly title: string;
  /** @throws {AssertionError} of `node:assert` when the promise is broken. */
  readonly run: () => Promise<void>;
}
