import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { DataFolderAccessError, EmbeddedUserError } from './embedded.errors.js';

/** As whom PostgreSQL runs. `ids` is empty when that is ourselves. */
export interface ServerUser {
  readonly name: string;
  readonly ids: { readonly uid?: number; readonly gid?: number };
  /** The user cannot enter a folder above what it needs, and is helped over it; see `asServerUser`. */
  readonly needsPassage?: boolean;
}

const run = promisify(execFile);

/**
 * PostgreSQL refuses to run as root: root lends it the owner of an existing data folder, else the system's user
 * `postgres`, which is created when missing.
 *
 * @throws {EmbeddedUserError}
 */
export async function chooseServerUser(dataDir: string, fallback = 'postgres'): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return { name: userName(), ids: {} };
  const owner = await stat(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (owner && owner.uid !== 0) return { name: `#${owner.uid}`, ids: { uid: owner.uid, gid: owner.gid } };
  const ids = (await lookUp(fallback)) ?? (await createUser(fallback));
  return { name: fallback, ids };
}

/**
 * Makes sure that the user can reach what it needs; with the help of `setpriv` where the modes of folders do not let it.
 *
 * @throws {DataFolderAccessError} naming the first folder that the user cannot enter, when there is no `setpriv`
 */
export async function withPassage(user: ServerUser, paths: readonly string[]): Promise<ServerUser> {
  try {
    for (const path of paths) await assertReachable(path, user);
    return user;
  } catch (error) {
    if (!(error instanceof DataFolderAccessError) || !(await hasSetpriv())) throw error;
    return { ...user, needsPassage: true };
  }
}

async function hasSetpriv(): Promise<boolean> {
  return run('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
}

/** @throws {DataFolderAccessError} naming the first folder above `path` that the user cannot enter */
async function assertReachable(path: string, user: ServerUser): Promise<void> {
  if (user.ids.uid === undefined) return;
  for (const folder of ancestors(path)) {
    const { uid, gid, mode } = await stat(folder);
    const bit = uid === user.ids.uid ? 0o100 : gid === user.ids.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new DataFolderAccessError({ folder, user: user.name, reason: 'may not enter' });
    }
  }
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

async function lookUp(name: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    // `id` ends with 1 for an unknown user; anything else is worth telling.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw new EmbeddedUserError({ reason: `"id" failed: ${(error as Error).message}` });
  }
}

async function createUser(name: string): Promise<{ uid: number; gid: number }> {
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      name,
    ]);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'the program "useradd" is not installed' : (error as Error).message.trim();
    throw new EmbeddedUserError({ reason: `it does not exist and cannot be created: ${why}` });
  }
  const ids = await lookUp(name);
  if (!ids) throw new EmbeddedUserError({ reason: 'it was created but cannot be looked up' });
  return ids;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no entry in the user database.
    return `#${process.getuid?.() ?? '?'}`;
  }
}
