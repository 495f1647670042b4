import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Compression, NEIGHBOUR_ENDINGS } from '../origin/coded-content.js';
import { absent, type Release } from './release-folder.js';

/** What is in a release, and how much of it goes over the wire. */
export interface ReleaseSizes {
  readonly files: number;
  /** Of all files as they are, bytes. */
  readonly sizeBytes: number;
  /** Of all files in a coding, where a file has no such form as it is, bytes; codings that no file has are missing. */
  readonly codedBytes: Readonly<Partial<Record<Compression, number>>>;
}

/** How many files are looked at in one go. */
const AT_ONCE = 32;
const CODINGS = Object.keys(NEIGHBOUR_ENDINGS) as Compression[];

interface FileSizes {
  readonly sizeBytes: number;
  readonly coded: Readonly<Partial<Record<Compression, number>>>;
}

/** Looks at the files of a release; those that are missing count as empty. @throws the error of the file system */
export async function sizesOfRelease(root: string, { manifest }: Release): Promise<ReleaseSizes> {
  const files = [...new Set(Object.values(manifest).map(({ file }) => file))];
  const sizes: FileSizes[] = [];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const batch = files.slice(at, at + AT_ONCE).map((it) => sizesOfFile(join(root, it)));
    sizes.push(...(await Promise.all(batch)));
  }
  const sum = (of: (it: FileSizes) => number) => sizes.reduce((total, it) => total + of(it), 0);
  const there = CODINGS.filter((coding) => sizes.some((it) => it.coded[coding] !== undefined));
  return {
    files: files.length,
    sizeBytes: sum((it) => it.sizeBytes),
    codedBytes: Object.fromEntries(there.map((it) => [it, sum((file) => file.coded[it] ?? file.sizeBytes)])),
  };
}

async function sizesOfFile(path: string): Promise<FileSizes> {
  const coded: Partial<Record<Compression, number>> = {};
  for (const coding of CODINGS) {
    const size = await sizeOf(path + NEIGHBOUR_ENDINGS[coding]);
    if (size !== undefined) coded[coding] = size;
  }
  return { sizeBytes: (await sizeOf(path)) ?? 0, coded };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.size;
}
