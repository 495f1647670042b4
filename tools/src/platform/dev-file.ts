import { rm } from 'node:fs/promises';

import { readJson, writePrivateJson } from './json-file.ts';

/** What runs, for the tools that use it: `<data>/dev.json`, mode 600, there while the platform runs. */
export interface DevFile {
  /** Of the api, without a path. */
  readonly url: string;
  /** May read and write content. */
  readonly apiKey: string;
  readonly adminKey: string;
  readonly databaseUrl: string;
  /** Null: there is no Redis. */
  readonly redisUrl: string | null;
  /** `start` is who started the others; `api`, `worker-<n>`, `postgres`, `redis`. */
  readonly processes: readonly DevProcess[];
}

export interface DevProcess {
  readonly name: string;
  readonly pid: number;
  /** Where it answers, if it speaks HTTP. */
  readonly url?: string;
}

export function writeDevFile(path: string, dev: DevFile): Promise<void> {
  return writePrivateJson(path, dev);
}

export function removeDevFile(path: string): Promise<void> {
  return rm(path, { force: true });
}

/** @returns what the file says, although nothing of it may run any more; undefined when there is none */
export async function readDevFile(path: string): Promise<DevFile | undefined> {
  try {
    return (await readJson(path)) as DevFile | undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
