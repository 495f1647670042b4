/** Base of every error that this library throws on purpose; `code` is stable. */
export abstract class ContentError extends Error {
  abstract readonly code: `CONTENT_${string}`;
  override get name() {
    return this.constructor.name;
  }
}

/** No workspace has this id, or the caller may not know of it. */
export class WorkspaceNotFoundError extends ContentError {
  readonly code = 'CONTENT_WORKSPACE_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    options?: ErrorOptions,
  ) {
    super(`There is no workspace ${workspaceId}`, options);
  }
}

/** No file of this workspace has this id. */
export class FileNotFoundError extends ContentError {
  readonly code = 'CONTENT_FILE_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    readonly fileId: string,
  ) {
    super(`There is no file ${fileId} in workspace ${workspaceId}`);
  }
}

/** The path of a file is not one that can be stored; nothing was written. */
export class InvalidFilePathError extends ContentError {
  readonly code = 'CONTENT_INVALID_FILE_PATH';
  constructor(readonly reason: string) {
    super(`The file path is not valid: ${reason}`);
  }
}
