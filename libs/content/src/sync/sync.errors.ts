import { ContentError } from '../content.errors.js';

/** A folder or bucket that is not among those that the options name, or that is not there. */
export class SyncSourceError extends ContentError {
  readonly code = 'CONTENT_SYNC_SOURCE_REFUSED';
}

/** No sync of this workspace has this id. */
export class SyncNotFoundError extends ContentError {
  readonly code = 'CONTENT_SYNC_NOT_FOUND';
  constructor(
    readonly workspaceId: string,
    readonly syncId: string,
  ) {
    super(`There is no sync ${syncId} in workspace ${workspaceId}`);
  }
}

/** A sync of this workspace and this folder or bucket has not ended yet. */
export class SyncRunningError extends ContentError {
  readonly code = 'CONTENT_SYNC_RUNNING';
  constructor(readonly syncId: string) {
    super(`Sync ${syncId} of the same workspace and source has not ended yet; wait for it or cancel it`);
  }
}

/** A sync that has ended cannot be cancelled. */
export class SyncEndedError extends ContentError {
  readonly code = 'CONTENT_SYNC_ENDED';
  constructor(readonly syncId: string) {
    super(`Sync ${syncId} has ended already`);
  }
}

/** The source has no file, and deletions were asked for: a disk that is not mounted looks like that. Nothing was deleted. */
export class SyncSourceEmptyError extends ContentError {
  readonly code = 'CONTENT_SYNC_SOURCE_EMPTY';
  constructor() {
    super(
      'The source has no files, so nothing is deleted; delete the files themselves if that is what you want',
    );
  }
}

/** What is wrong with one file and stops no other. The message is for people. */
export class SyncFileProblem extends Error {
  override readonly name = 'SyncFileProblem';
}

/** A file was written to while it was read; nothing of it was stored. */
export class SyncFileChangedError extends SyncFileProblem {
  constructor() {
    super('It changes while it is read; the next sync tries again');
  }
}
