/** What SQL is sent through: an `EntityManager`, or what watches over one plan's statements. */
export interface Statements {
  query<T>(sql: string, parameters?: unknown[]): Promise<T>;
}
