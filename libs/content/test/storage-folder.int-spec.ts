import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  FOLDER_READ_CHUNK_BYTES,
  FolderStorage,
  TEMPORARY_MAX_AGE_MS,
} from '../src/storage/folder-storage.js';
import { StorageUnavailableError } from '../src/storage/storage.errors.js';
import { runStorageContract } from './storage-contract.js';
import { chunked, digest, generated, MIB, toArray } from './storage-sources.js';

const CHILD = fileURLToPath(new URL('storage-folder-child.mjs', import.meta.url));

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'peregrine-folder-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const temporaryFiles = (folder: string) => readdir(join(folder, 'tmp')).catch(() => []);

describe('the folder storage keeps the contract:', () => {
  runStorageContract(() =>
    Promise.resolve({
      driver: new FolderStorage({ root }),
      leftovers: () => temporaryFiles(root),
      maxBytes: Infinity,
      writeBufferBytes: MIB,
      writtenBytes: (key) => statSync(join(root, 'tmp', key), { throwIfNoEntry: false })?.size ?? 0,
    }),
  );
});

describe('the folder storage', () => {
  it('reads large objects in large pieces', async () => {
    const storage = new FolderStorage({ root });
    const key = randomUUID();
    await storage.write(key, generated(2 * MIB));
    for await (const chunk of await storage.read(key)) {
      expect((chunk as Buffer).length).toBe(FOLDER_READ_CHUNK_BYTES);
    }
    await storage.delete(key);
  });

  it('lists nothing of a folder that does not exist', async () => {
    expect(await toArray(new FolderStorage({ root: join(root, 'missing') }).list())).toEqual([]);
  });

  it('lists nothing that is not its own', async () => {
    const own = join(root, 'foreign');
    await mkdir(join(own, 'ab', 'cd'), { recursive: true });
    await writeFile(join(own, 'ab', 'cd', 'notes.txt'), 'x');
    await mkdir(join(own, 'lost+found'));
    expect(await toArray(new FolderStorage({ root: own }).list())).toEqual([]);
  });

  it('sweeps what a crash left, and nothing that is being written', async () => {
    const own = join(root, 'swept');
    await mkdir(join(own, 'tmp'), { recursive: true });
    const [old, young] = [randomUUID(), randomUUID()];
    for (const name of [old, young]) await writeFile(join(own, 'tmp', name), 'half');
    const past = new Date(Date.now() - TEMPORARY_MAX_AGE_MS - 60_000);
    await utimes(join(own, 'tmp', old), past, past);
    expect(await toArray(new FolderStorage({ root: own }).list())).toEqual([]);
    expect(await temporaryFiles(own)).toEqual([young]);
  });

  it('is unavailable when the folder cannot be used', async () => {
    const file = join(root, 'a-file');
    await writeFile(file, 'x');
    const storage = new FolderStorage({ root: file });
    const source = generated(Infinity);
    await expect(storage.write(randomUUID(), source)).rejects.toThrow(StorageUnavailableError);
    expect(source.destroyed).toBe(true);
    await expect(storage.check()).rejects.toThrow(
      'The folder storage cannot write: a part of the path is not a folder (ENOTDIR)',
    );
    await expect(storage.read(randomUUID())).rejects.toThrow(StorageUnavailableError);
    await expect(toArray(storage.list())).rejects.toThrow(StorageUnavailableError);
  });

  it('leaves no object behind when the disk takes no more in the middle of it', async () => {
    const own = join(root, 'limited');
    const child = spawn(
      '/bin/sh',
      // The largest file of the child is 1 MiB: its writes then fail, as on a full disk.
      ['-c', 'trap "" XFSZ; ulimit -f 2048; exec "$0" "$@"', process.execPath, CHILD, own, '8', '1'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines = await toArray(createInterface({ input: child.stdout }));
    expect(lines).toEqual([
      expect.stringMatching(/^failed STORAGE_UNAVAILABLE The folder storage cannot write: /),
    ]);
    expect(await toArray(new FolderStorage({ root: own }).list())).toEqual([]);
    expect(await temporaryFiles(own)).toEqual([]);
  });

  it('has whole objects only after a kill in the middle of writes', async () => {
    const own = join(root, 'killed');
    const child = spawn(process.execPath, [CHILD, own, '4', '1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const written: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, key] = line.split(' ');
      if (word === 'written' && key) written.push(key);
      if (written.length === 12) child.kill('SIGKILL');
    }
    await exited;
    const storage = new FolderStorage({ root: own });
    const whole = await digest(generated(4 * MIB));
    const listed = (await toArray(storage.list())).map((it) => it.key);
    expect(listed).toEqual(expect.arrayContaining(written));
    for (const key of listed) expect((await digest(await storage.read(key))).sha256).toBe(whole.sha256);
    await storage.sweepTemporary(-60_000);
    expect(await temporaryFiles(own)).toEqual([]);
    await storage.write(randomUUID(), chunked(Buffer.from('still works')));
  });
});
