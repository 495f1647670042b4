import type { Readable } from 'node:stream';

/** A file of a folder or bucket. */
export interface TreeFile {
  /** As a workspace calls it; see `parseFilePath`. */
  path: string;
  /** How the tree itself calls it; the same but for the normalisation of Unicode. */
  location: string;
  sizeBytes: number;
  /** Another one means that the content may be another; of a folder the modification time and the inode. */
  version: string;
  /**
   * Whether the same version means the same content for certain. Not so for a file that was written to a moment ago: the
   * next write may come within one tick of the file system's clock.
   */
  isSettled: boolean;
}

/** Something of a tree that is no file of a workspace, and why; a path that ends in `/` is a folder with all below it. */
export type OnSkip = (path: string, reason: string) => void;

/** A folder or a bucket, one side of a sync. Never follows a link, never leaves its root. */
export interface SyncTree {
  /** In the order of `comparePaths`. What is skipped is told before anything behind it is given. */
  list(onSkip: OnSkip): AsyncIterable<TreeFile>;

  /** How many files there are, about: for the progress. */
  count(): Promise<number>;

  /**
   * The content. The stream fails at its end with `SyncFileChangedError` when the file is not as it was listed any more,
   * so that nothing torn is taken for it.
   *
   * @throws {SyncFileProblem}
   */
  open(file: TreeFile): Promise<Readable>;

  /**
   * Replaces a file as a whole: what it was is there until the new one is complete.
   *
   * @throws {SyncFileProblem} @throws the error of `body`
   */
  write(path: string, body: Readable, modifiedAt: Date): Promise<TreeFile>;

  /** @throws {SyncFileProblem} */
  remove(file: TreeFile): Promise<void>;

  close(): Promise<void>;
}
