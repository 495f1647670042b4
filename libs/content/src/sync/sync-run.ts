import { Readable } from 'node:stream';
import { createHash } from 'node:crypto';
import { type FileService } from '../files/file.service.js';
import { type FileUploadService } from '../files/file-upload.service.js';
import { FileNotFoundError } from '../content.errors.js';
import { type FileContentService } from '../files/file-content.service.js';
import { toBuffer } from '../storage/byte-streams.js';
import { StorageObjectNotFoundError, UploadTooLargeError } from '../storage/storage.errors.js';
import { decide, type Decision } from './decide.js';
import { type StorageSync } from './storage-sync.entity.js';
import { SyncFileChangedError, SyncFileProblem, SyncSourceEmptyError } from './sync.errors.js';
import { mergeByPath } from './merge-by-path.js';
import { type SyncLedger } from './sync-ledger.js';
import { entryOf, type SyncedFile, type SyncEntry, type SyncStore } from './sync.store.js';
import type { SyncTree, TreeFile } from './trees/sync-tree.js';

/** How often a file that changes while it is read is begun anew. */
const READ_ATTEMPTS = 3;
/** For a content that is known to be another one, whatever it is: no hash is like it. */
const ANOTHER = 'another';

export interface SyncRunContext {
  sync: StorageSync;
  tree: SyncTree;
  ledger: SyncLedger;
  store: SyncStore;
  uploads: FileUploadService;
  files: FileService;
  contents: FileContentService;
  /** Files that are copied at once. */
  concurrency: number;
  /** Largest file that is taken in, bytes. */
  limitBytes: number;
  signal: AbortSignal;
}

interface Both {
  path: string;
  item?: TreeFile;
  file?: SyncedFile;
  entry?: SyncEntry;
}

/**
 * Walks over folder, workspace and what they had in common at once, by path, and brings each path into step. What it holds
 * is a page of each and the files that are on their way.
 */
export class SyncRun {
  readonly #running = new Set<Promise<void>>();
  /** What the tree has and the workspace cannot; nothing there is deleted or overwritten. */
  readonly #skipped = new Set<string>();
  readonly #skippedFolders: string[] = [];
  #failure: Error | undefined;

  constructor(private readonly context: SyncRunContext) {}

  /** @throws the first failure that is not one file's own, once all that runs has ended */
  async run(): Promise<void> {
    const { store, tree, sync, ledger, signal } = this.context;
    const lists = {
      item: tree.list((path, reason) => this.#skip(path, reason)),
      file: store.files(sync.workspaceId),
      entry: store.entries(sync.pairId),
    };
    try {
      for await (const both of mergeByPath<{ item: TreeFile; file: SyncedFile; entry: SyncEntry }>(lists)) {
        signal.throwIfAborted();
        if (this.#failure) break;
        ledger.counts.seen++;
        await this.#begin(both);
        await ledger.checkpointWhenDue();
      }
    } finally {
      await Promise.all(this.#running);
    }
    if (this.#failure) throw this.#failure;
    await ledger.checkpoint();
  }

  #skip(path: string, reason: string): void {
    if (path.endsWith('/')) this.#skippedFolders.push(path);
    else this.#skipped.add(path);
    this.context.ledger.problem('skipped', path, reason);
  }

  /** What needs no look at a content is done at once; the rest has its turn. */
  async #begin(both: Both): Promise<void> {
    const { item, file, entry, path } = both;
    if (this.#skipped.has(path) || this.#skippedFolders.some((it) => path.startsWith(it))) return;
    if (item && file && entry && isKnown(item, entry) && entry.sha256 === file.sha256) {
      this.context.ledger.counts.equal++;
      return;
    }
    while (this.#running.size >= this.context.concurrency) await Promise.race(this.#running);
    const work = this.#settle(both).catch((error: Error) => {
      this.#failure ??= error;
    });
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  /** One path, begun anew while its file changes. A problem of its own ends here. */
  async #settle(both: Both): Promise<void> {
    const { ledger } = this.context;
    try {
      await this.#bringIntoStep(both);
    } catch (error) {
      const problem = fileProblemOf(error);
      if (problem === undefined) throw error;
      ledger.problem('skipped', both.path, problem);
    }
    await ledger.checkpointWhenDue();
  }

  async #bringIntoStep({ path, item, file, entry }: Both): Promise<void> {
    const { sync, ledger } = this.context;
    const ours = file?.sha256 ?? null;
    const theirs = item ? await this.#hashOf(item, file, entry) : null;
    const [source, target] = sync.direction === 'import' ? [theirs, ours] : [ours, theirs];
    const decision = decide({ source, target, base: entry?.sha256 ?? null }, sync);
    if (decision === 'equal') {
      ledger.counts.equal++;
      if (item && ours !== null) ledger.inStep(entryOf(item, ours));
      else ledger.gone(path);
    } else if (decision === 'extra') {
      ledger.counts.extra++;
    } else if (decision === 'conflict') {
      ledger.problem(
        'conflict',
        path,
        'It was changed at the target, too; choose overwrite to give that change up',
      );
    } else await this.#act(decision, { path, item, file });
  }

  async #act(
    decision: Extract<Decision, 'copy' | 'delete'>,
    { path, item, file }: Omit<Both, 'entry'>,
  ): Promise<void> {
    const { sync, ledger, tree, files } = this.context;
    const isImport = sync.direction === 'import';
    if (decision === 'delete') {
      await this.#assertSourceHasFiles();
      if (!sync.dryRun) {
        if (isImport && file) await files.delete(sync.workspaceId, file.id).catch(ignoreMissing);
        if (!isImport && item) await tree.remove(item);
      }
      ledger.counts.deleted++;
      return ledger.gone(path);
    }
    const sizeBytes = (isImport ? item?.sizeBytes : file?.sizeBytes) ?? 0;
    if (!sync.dryRun) {
      const entry = isImport && item ? await this.#takeIn(item) : file && (await this.#putOut(file));
      if (entry) ledger.inStep(entry);
    }
    ledger.counts.copied++;
    ledger.counts.copiedBytes += sizeBytes;
  }

  async #takeIn(item: TreeFile): Promise<SyncEntry> {
    const { uploads, sync, limitBytes, signal } = this.context;
    return this.#reading(async () => {
      const body = await this.context.tree.open(item);
      try {
        const { file } = await uploads.upload(sync.workspaceId, item.path, body, { limitBytes, signal });
        return entryOf(item, file.sha256);
      } finally {
        body.destroy();
      }
    });
  }

  async #putOut(file: SyncedFile): Promise<SyncEntry> {
    const { contents, sync, tree, signal } = this.context;
    const location = await contents.locate(sync.workspaceId, file.id);
    const body = await contents.open(location, undefined, signal);
    const stream = Buffer.isBuffer(body) ? Readable.from([body], { objectMode: false }) : body;
    return entryOf(await tree.write(file.path, stream, file.updatedAt), location.sha256);
  }

  /** The hash of a file of the tree; read only where size and time leave a doubt. */
  async #hashOf(item: TreeFile, file: SyncedFile | undefined, entry: SyncEntry | undefined): Promise<string> {
    if (entry && isKnown(item, entry)) return entry.sha256;
    // Nothing to compare it with, or of another size: it is another one, and copying it hashes it anyway.
    if (!file || file.sizeBytes !== item.sizeBytes) {
      const isAtSource = this.context.sync.direction === 'import';
      if (isAtSource || !entry) return ANOTHER;
    }
    return this.#reading(async () => {
      const hash = createHash('sha256');
      for await (const chunk of await this.context.tree.open(item)) hash.update(toBuffer(chunk as Buffer));
      return hash.digest('hex');
    });
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read();
      } catch (error) {
        const hasChanged = causes(error).some((it) => it instanceof SyncFileChangedError);
        if (!hasChanged || attempt >= READ_ATTEMPTS) throw error;
      }
    }
  }

  /** A disk that is not mounted is an empty folder: it must not empty the other side. */
  async #assertSourceHasFiles(): Promise<void> {
    const { counts } = this.context.ledger;
    if (counts.equal + counts.copied + counts.conflicts > 0) return;
    const { sync, tree, store } = this.context;
    const files = sync.direction === 'import' ? await tree.count() : await store.countFiles(sync.workspaceId);
    if (files === 0) throw new SyncSourceEmptyError();
  }
}

function isKnown(item: TreeFile, entry: SyncEntry): boolean {
  return entry.isSettled && entry.version === item.version;
}

/** What is wrong with the one file, if that is all. */
function fileProblemOf(error: unknown): string | undefined {
  for (const it of causes(error)) {
    if (it instanceof SyncFileProblem) return it.message;
    if (it instanceof UploadTooLargeError)
      return `It is larger than the ${it.limitBytes} bytes that an upload may have`;
    if (it instanceof FileNotFoundError || it instanceof StorageObjectNotFoundError)
      return 'It was deleted or replaced meanwhile';
  }
  return undefined;
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let it = error; it instanceof Error && chain.length < 8; it = it.cause) chain.push(it);
  return chain;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof FileNotFoundError)) throw error;
}
