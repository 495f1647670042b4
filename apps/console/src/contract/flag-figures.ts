/** A feature and the share of keys that have it, percent from 0 to 100. */
export interface FlagFigures {
  readonly name: string;
  readonly variable: string;
  readonly description: string;
  readonly configured: number;
  readonly inForce: number;
  /** Shares of parts of it that are in force, by name. */
  readonly scopes: Readonly<Record<string, number>>;
  readonly isOverridden: boolean;
}
