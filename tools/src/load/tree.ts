import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { ROOT } from '../paths.ts';
import type { Reporter } from '../reporter.ts';
import { UsageError } from '../tools.errors.ts';

const run = promisify(execFile);
const OUTPUT_BYTES = 64 * 2 ** 20;

/** A built clone of the repository in which platforms can be started. */
export interface Tree {
  readonly folder: string;
  readonly name: string;
  /** Takes away what was made for the comparison. */
  remove(): Promise<void>;
}

/**
 * A folder is taken as it is; of a commit a worktree is made, with its packages and its own build.
 *
 * @throws {UsageError} when it is neither
 */
export async function prepareTree(commitOrFolder: string, reporter: Reporter): Promise<Tree> {
  const folder = resolve(process.env['INIT_CWD'] ?? process.cwd(), commitOrFolder);
  if (await exists(join(folder, 'tools/src/start.ts')))
    return { folder, name: commitOrFolder, remove: () => Promise.resolve() };
  const commit = await resolveCommit(commitOrFolder);
  const tree = await addWorktree(commit);
  try {
    await reporter.step(`Packages of ${tree.name}`, () => installPackages(tree.folder));
    await reporter.step(`Build of ${tree.name}`, () => buildTree(tree.folder));
    return tree;
  } catch (error) {
    await tree.remove();
    throw error;
  }
}

async function resolveCommit(name: string): Promise<string> {
  try {
    return (await git('rev-parse', '--verify', '--end-of-options', `${name}^{commit}`)).trim();
  } catch (error) {
    throw new UsageError(`--compare: ${name} is neither a commit nor a clone of this repository`, {
      cause: error,
    });
  }
}

async function addWorktree(commit: string): Promise<Tree> {
  const parent = join(ROOT, '.peregrine', 'compare');
  const folder = join(parent, `${commit.slice(0, 12)}-${process.pid}`);
  await mkdir(parent, { recursive: true });
  await git('worktree', 'add', '--detach', folder, commit);
  const remove = async () => {
    await git('worktree', 'remove', '--force', folder);
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, name: commit.slice(0, 12), remove };
}

/** With the same lock file a copy of ours, whose links to the workspaces are relative; else its own. */
async function installPackages(folder: string): Promise<void> {
  const lockOf = (root: string) => readFile(join(root, 'package-lock.json'), 'utf8');
  if ((await lockOf(folder)) === (await lockOf(ROOT))) {
    for (const part of ['node_modules', 'tools/node_modules', 'tools/bench/node_modules']) {
      if (!(await exists(join(ROOT, part)))) continue;
      // Where the system can, as links: it is a matter of seconds then, and nobody changes them in place.
      await run('cp', [process.platform === 'linux' ? '-al' : '-a', join(ROOT, part), join(folder, part)]);
    }
  } else {
    await run(process.execPath, [join(folder, 'tools/bootstrap.mjs'), 'install'], {
      cwd: folder,
      maxBuffer: OUTPUT_BYTES,
    });
  }
}

async function buildTree(folder: string): Promise<void> {
  const args = [join(folder, 'node_modules/typescript/bin/tsc'), '-b', join(folder, 'tsconfig.build.json')];
  await run(process.execPath, args, { cwd: folder, maxBuffer: OUTPUT_BYTES });
}

async function git(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: ROOT })).stdout;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
