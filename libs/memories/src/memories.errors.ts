/** Base of every error that this library throws on purpose; `code` is stable. */
export abstract class MemoriesError extends Error {
  abstract readonly code: `MEMORIES_${string}`;
  override get name() {
    return this.constructor.name;
  }
}

/** No workspace has this id; nothing was stored. */
export class MemoryWorkspaceNotFoundError extends MemoriesError {
  readonly code = 'MEMORIES_WORKSPACE_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    options?: ErrorOptions,
  ) {
    super(`There is no workspace ${workspaceId}`, options);
  }
}

/** No memory of this workspace has this id. */
export class MemoryNotFoundError extends MemoriesError {
  readonly code = 'MEMORIES_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    readonly memoryId: string,
  ) {
    super(`There is no memory ${memoryId} in workspace ${workspaceId}`);
  }
}

/** Only a summary can be taken apart. */
export class NotASummaryError extends MemoriesError {
  readonly code = 'MEMORIES_NOT_A_SUMMARY';
  constructor(readonly memoryId: string) {
    super(`Memory ${memoryId} is no summary: there is no consolidation to undo`);
  }
}

/** A content that cannot be kept; nothing of its batch was stored. */
export class InvalidMemoryError extends MemoriesError {
  readonly code = 'MEMORIES_INVALID_CONTENT';
  constructor(
    readonly place: number,
    readonly reason: string,
  ) {
    super(`Memory ${place + 1} of the request is not valid: ${reason}`);
  }
}

/** More memories at once than one call takes; nothing was stored. */
export class MemoryBatchTooLargeError extends MemoriesError {
  readonly code = 'MEMORIES_BATCH_TOO_LARGE';
  constructor(
    readonly given: number,
    readonly limit: number,
  ) {
    super(`${given} memories are more than one request takes: send 1 to ${limit} at a time`);
  }
}

/** A query that cannot be asked. */
export class InvalidMemoryQueryError extends MemoriesError {
  readonly code = 'MEMORIES_INVALID_QUERY';
  constructor(readonly reason: string) {
    super(`The query is not valid: ${reason}`);
  }
}

/** An embedder gave what is no embedding of its own; nothing of it was stored. */
export class InvalidEmbeddingError extends MemoriesError {
  readonly code = 'MEMORIES_INVALID_EMBEDDING';
  constructor(
    readonly embedder: string,
    readonly reason: string,
  ) {
    super(`The embedder ${embedder} gave a wrong embedding: ${reason}`);
  }
}

/** The chosen way of vector search is not there. Thrown at start. */
export class VectorIndexMissingError extends MemoriesError {
  readonly code = 'MEMORIES_VECTOR_INDEX_MISSING';
  constructor() {
    super(
      'MEMORIES_VECTOR_INDEX is pgvector, but the database had no pgvector when the migrations ran: ' +
        'install the extension and migrate anew, or choose auto or sign-codes',
    );
  }
}
