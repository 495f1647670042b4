/** Base of every error that this library throws on purpose; `code` is stable. */
export abstract class RetrievalError extends Error {
  abstract readonly code: `RETRIEVAL_${string}`;
  override get name() {
    return this.constructor.name;
  }
}

/** A query that cannot be asked. */
export class InvalidRetrievalQueryError extends RetrievalError {
  readonly code = 'RETRIEVAL_INVALID_QUERY';
  constructor(readonly reason: string) {
    super(`The query is not valid: ${reason}`);
  }
}

/** A filter on what chunks do not have. */
export class UnknownFilterFieldError extends RetrievalError {
  readonly code = 'RETRIEVAL_UNKNOWN_FILTER';
  constructor(
    readonly fields: readonly string[],
    readonly known: readonly string[],
  ) {
    super(`There is no filter ${fields.join(', ')}: use ${known.join(', ')}`);
  }
}

/** A vector that has no direction, or not that of this embedder; nothing of it was stored. */
export class InvalidVectorError extends RetrievalError {
  readonly code = 'RETRIEVAL_INVALID_VECTOR';
  constructor(readonly reason: string) {
    super(`The vector is not valid: ${reason}`);
  }
}

/** No such file in this workspace; nothing was stored. */
export class DocumentNotFoundError extends RetrievalError {
  readonly code = 'RETRIEVAL_DOCUMENT_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    readonly documentId: string,
  ) {
    super(`There is no file ${documentId} in workspace ${workspaceId}`);
  }
}

/** Some chunks, seeds of a query or ends of an edge, are not in this workspace. */
export class ChunkNotFoundError extends RetrievalError {
  readonly code = 'RETRIEVAL_CHUNK_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    readonly chunkIds: readonly string[],
  ) {
    super(`Not in workspace ${workspaceId}: ${chunkIds.slice(0, 10).join(', ')}`);
  }
}

/** The plan that was asked for cannot answer a query of this mode. */
export class PlanNotApplicableError extends RetrievalError {
  readonly code = 'RETRIEVAL_PLAN_NOT_APPLICABLE';
  constructor(
    readonly plan: string,
    readonly mode: string,
  ) {
    super(`The plan ${plan} cannot answer a query of mode ${mode}: leave the plan out`);
  }
}

/** The codes of a workspace are not kept in memory: there are too many. */
export class CodesTooLargeError extends RetrievalError {
  readonly code = 'RETRIEVAL_CODES_TOO_LARGE';
  constructor(
    readonly workspaceId: string,
    readonly limit: number,
  ) {
    super(
      `Workspace ${workspaceId} has more than ${limit} chunks: raise maxResidentChunks, or use filtered-vector`,
    );
  }
}

/** No index of pgvector was made for vectors of this length, or the server has no pgvector. */
export class VectorIndexMissingError extends RetrievalError {
  readonly code = 'RETRIEVAL_VECTOR_INDEX_MISSING';
  constructor() {
    super('There is no index of pgvector: leave the plan out, or make one with VectorIndex.create()');
  }
}

/** Too many chunks to compare each of them; `calibration.maxRows` says how many. */
export class CorpusTooLargeError extends RetrievalError {
  readonly code = 'RETRIEVAL_CORPUS_TOO_LARGE';
  constructor(
    readonly workspaceId: string,
    readonly limit: number,
  ) {
    super(`More than ${limit} chunks of workspace ${workspaceId} pass: raise calibration.maxRows`);
  }
}

/** The thread that compares codes ended while it had work; the next query starts another one. */
export class CodeThreadLostError extends RetrievalError {
  readonly code = 'RETRIEVAL_CODE_THREAD_LOST';
  constructor(options?: ErrorOptions) {
    super('The thread that compares codes has ended: ask again', options);
  }
}

/** A plan took much longer than was predicted and was given up. Never thrown to callers: the fallback answers. */
export class PlanTimeoutError extends RetrievalError {
  readonly code = 'RETRIEVAL_PLAN_TIMEOUT';
  constructor(
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`The plan was given up after ${timeoutMs} ms`, options);
  }
}
