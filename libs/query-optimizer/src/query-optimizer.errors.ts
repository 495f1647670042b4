/** Base of every error of this library; `code` is stable across releases. The pool's codes begin with `POOL_`. */
export abstract class QueryOptimizerError extends Error {
  abstract readonly code: `QUERY_${string}` | `POOL_${string}`;
  override get name(): string {
    return this.constructor.name;
  }
}

/** `analyse` was called before `loadAnalyser()` had loaded PostgreSQL's grammar. */
export class QueryAnalyserNotLoadedError extends QueryOptimizerError {
  readonly code = 'QUERY_ANALYSER_NOT_LOADED';
  constructor() {
    super('The SQL parser is not loaded; await loadAnalyser() once before the first query');
  }
}

/** The text holds no statement: nothing, white space, comments or semicolons only. */
export class QueryEmptyError extends QueryOptimizerError {
  readonly code = 'QUERY_EMPTY';
  constructor() {
    super('The SQL text holds no statement');
  }
}

/** The text holds several statements; parameters and the result cache need exactly one. Nothing was sent. */
export class QueryMultipleStatementsError extends QueryOptimizerError {
  readonly code = 'QUERY_MULTIPLE_STATEMENTS';
  constructor(readonly statementCount: number) {
    super(`The SQL text holds ${statementCount} statements; send them one by one`);
  }
}

/** The text can not be sent to PostgreSQL at all: it is not a string, or it holds a NUL character. */
export class QueryInvalidTextError extends QueryOptimizerError {
  readonly code = 'QUERY_INVALID_TEXT';
  constructor(problem: string) {
    super(`The SQL text is not valid: ${problem}`);
  }
}

/**
 * The text does not parse by the grammar of PostgreSQL 18. Not thrown by `analyse`, which answers a statement of
 * kind `unknown` that carries it: a newer server may understand the text. Whoever knows the server's version throws it.
 */
export class QuerySyntaxError extends QueryOptimizerError {
  readonly code = 'QUERY_SYNTAX';
  constructor(
    message: string,
    /** Offset into the text in UTF-8 bytes from 0; null where the parser gives none. */
    readonly positionBytes: number | null,
    options?: ErrorOptions,
  ) {
    super(`The SQL text does not parse: ${message}`, options);
  }
}

/** The catalogue could not be read. The previous snapshot, if there was one, stays in use. */
export class QueryCatalogueError extends QueryOptimizerError {
  readonly code = 'QUERY_CATALOGUE';
  constructor(problem: string, options?: ErrorOptions) {
    super(`The PostgreSQL catalogue could not be read: ${problem}`, options);
  }
}

/** The catalogue was asked before its first `refresh()` had succeeded. */
export class QueryCatalogueNotLoadedError extends QueryOptimizerError {
  readonly code = 'QUERY_CATALOGUE_NOT_LOADED';
  constructor() {
    super('The catalogue holds no snapshot yet; await catalogue.refresh() first');
  }
}

/** No such table, view or materialized view on the search path. */
export class QueryUnknownTableError extends QueryOptimizerError {
  readonly code = 'QUERY_UNKNOWN_TABLE';
  constructor(
    readonly table: string,
    readonly searchPath: readonly string[],
  ) {
    super(`There is no table ${table} (search path: ${searchPath.join(', ')})`);
  }
}

/** The text has another number of parameters than were given. Nothing was sent. */
export class QueryParameterCountError extends QueryOptimizerError {
  readonly code = 'QUERY_PARAMETER_COUNT';
  constructor(
    readonly expected: number,
    readonly given: number,
  ) {
    super(`The SQL text has ${expected} parameters, but ${given} were given`);
  }
}

/** A parameter has a value that cannot be sent as what it is. Nothing was sent. The value is not in the message. */
export class QueryParameterError extends QueryOptimizerError {
  readonly code = 'QUERY_PARAMETER';
  constructor(
    /** As in the text, from 1. */
    readonly number: number,
    problem: string,
  ) {
    super(`The parameter $${number} ${problem}`);
  }
}

/** The statement ran longer than it was given. The server has cancelled it, and nothing was cached. */
export class QueryTimeoutError extends QueryOptimizerError {
  readonly code = 'QUERY_TIMEOUT';
  constructor(
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`The statement did not end within ${timeoutMs} ms and was cancelled`, options);
  }
}

/** Only what reads can be streamed. Nothing was sent. */
export class QueryNotStreamableError extends QueryOptimizerError {
  readonly code = 'QUERY_NOT_STREAMABLE';
  constructor(kind: string) {
    super(`Only a SELECT can be streamed, not: ${kind}`);
  }
}

/** Changes by others are not heard now: the option `cache.listen` is off, or the connection is lost. */
export class QueryNotListeningError extends QueryOptimizerError {
  readonly code = 'QUERY_NOT_LISTENING';
  constructor(options?: ErrorOptions) {
    super('Changes by others are not heard now', options);
  }
}

/** Only settings of the application (`app.tenant`) can be given to one statement. Nothing was sent. */
export class QueryVariableError extends QueryOptimizerError {
  readonly code = 'QUERY_VARIABLE';
  constructor(readonly variable: string) {
    super(`Only a setting with a dot in its name can be given to a statement, not: ${variable}`);
  }
}

/** An entity has no such column: a typing error, a relation, or an object that is several columns. Nothing was sent. */
export class QueryUnknownColumnError extends QueryOptimizerError {
  readonly code = 'QUERY_UNKNOWN_COLUMN';
  constructor(
    readonly entity: string,
    readonly properties: readonly string[],
  ) {
    super(
      properties.length === 0
        ? `Name the columns of ${entity} to be loaded; none would be all of them`
        : `${entity} has no columns: ${properties.join(', ')} (relations are loaded by a join, or a loader)`,
    );
  }
}

/** A loader cannot do what it was asked for: its options do not fit the table, or are wrong. */
export class QueryLoaderOptionsError extends QueryOptimizerError {
  readonly code = 'QUERY_LOADER_OPTIONS';
  constructor(readonly problems: readonly string[]) {
    super(`The options of the loader are not valid:\n${problems.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** A loader was asked outside of a scope. */
export class QueryLoaderScopeError extends QueryOptimizerError {
  readonly code = 'QUERY_LOADER_SCOPE';
  constructor() {
    super('A loader was asked outside of a request or task; run that in withLoaders(() => …)');
  }
}

/** A key is no value of the loader's columns. Nothing was sent. The value is not in the message. */
export class QueryLoaderKeyError extends QueryOptimizerError {
  readonly code = 'QUERY_LOADER_KEY';
  constructor(problem: string) {
    super(`The key ${problem}`);
  }
}

/** The options are wrong. The message lists every problem, never a password. */
export class InvalidQueryOptimizerOptionsError extends QueryOptimizerError {
  readonly code = 'QUERY_INVALID_OPTIONS';
  constructor(readonly problems: readonly string[]) {
    super(`The options of the query optimizer are not valid:\n${problems.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** The advisor could not do its work: no connection, or the connection was lost. Nothing was changed in the database. */
export class QueryAdvisorError extends QueryOptimizerError {
  readonly code = 'QUERY_ADVISOR';
  constructor(problem: string, options?: ErrorOptions) {
    super(`The index advisor had to stop: ${problem}`, options);
  }
}

/** The options of a query planner are wrong, or its prior does not fit them. */
export class QueryPlannerOptionsError extends QueryOptimizerError {
  readonly code = 'QUERY_PLANNER_OPTIONS';
  constructor(readonly problems: readonly string[]) {
    super(`The options of the query planner are not valid:\n${problems.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** A planner was asked, or told, what cannot be. Nothing was decided or learned. */
export class QueryPlannerInputError extends QueryOptimizerError {
  readonly code = 'QUERY_PLANNER_INPUT';
  constructor(problem: string) {
    super(`The query planner cannot use that: ${problem}`);
  }
}

/** The thread that trains a planner ended. The planner goes on with the model that it has; its next training starts another. */
export class QueryPlannerThreadLostError extends QueryOptimizerError {
  readonly code = 'QUERY_PLANNER_THREAD_LOST';
  constructor(options?: ErrorOptions) {
    super('The thread that trains the query planner ended', options);
  }
}
