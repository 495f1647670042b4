import { until } from '@peregrine/database/testing';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TaskQueue } from '@peregrine/task-queue';
import { type StartSync, SyncService, type SyncSummary, syncStorage, taskIdOf } from '../src/index.js';
import { type ContentFixture } from './content-fixture.js';

/** Long ago: a file that nobody writes to at this moment. */
const LONG_AGO = new Date('2024-01-01T00:00:00Z');

/** A folder and a workspace to be mirrored. */
export class SyncFixture {
  #edits = 0;

  private constructor(
    readonly content: ContentFixture,
    readonly workspace: string,
    readonly folder: string,
  ) {}

  static async create(content: ContentFixture): Promise<SyncFixture> {
    const folder = await mkdtemp(join(content.deployment.syncRoot, 'tree-'));
    return new SyncFixture(content, await content.workspace(), folder);
  }

  /** Each write has a time of its own, long ago. */
  async write(path: string, text: string | Uint8Array): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    const time = new Date(LONG_AGO.getTime() + ++this.#edits * 1_000);
    await utimes(file, time, time);
  }

  async writeAll(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) await this.write(path, text);
  }

  remove(path: string): Promise<void> {
    return rm(join(this.folder, path));
  }

  /** Starts a sync, and waits for its end. */
  async sync(wishes: Partial<StartSync> = {}): Promise<SyncSummary> {
    const service = this.content.get(SyncService);
    const { id } = await service.start(this.workspace, {
      source: this.folder,
      direction: 'import',
      ...wishes,
    });
    await this.ended(id);
    return service.get(this.workspace, id);
  }

  async ended(id: string): Promise<void> {
    const queue = this.content.get(TaskQueue);
    const isOver = async () => (await this.content.get(SyncService).get(this.workspace, id)).endedAt !== null;
    await until(isOver);
    // The row ends a moment before its task.
    await until(
      async () => (await queue.status(syncStorage, taskIdOf(this.workspace, id)))?.finishedAt !== undefined,
    );
  }

  /** Path and content of every regular file of the folder. */
  async tree(): Promise<Record<string, string>> {
    const names = await readdir(this.folder, { recursive: true });
    const files: Record<string, string> = {};
    for (const name of names.sort()) {
      if ((await lstat(join(this.folder, name))).isFile())
        files[name] = await readFile(join(this.folder, name), 'utf8');
    }
    return files;
  }

  /** Path and content of every file of the workspace. */
  async mirrored(): Promise<Record<string, string>> {
    const rows = await this.content.query<{ id: string; path: string }>(
      'SELECT id, path FROM files WHERE workspace_id = $1 ORDER BY path',
      [this.workspace],
    );
    const files: Record<string, string> = {};
    for (const { id, path } of rows)
      files[path] = (await this.content.download(this.workspace, id)).toString();
    return files;
  }
}
