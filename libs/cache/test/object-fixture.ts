import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCodec } from '../src/codec/codec.js';
import type { EntryDraft } from '../src/entry.js';
import { FolderStore } from '../src/object-store/folder/folder-store.js';
import { ObjectGate, type ObjectGateOptions } from '../src/object-store/object-gate.js';
import type { ObjectStore } from '../src/object-store/object-store.js';
import { ObjectTier } from '../src/object-store/object-tier.js';
import type { ObjectFormat, ObjectTierOptions } from '../src/object-store/object-tier.types.js';
import { StoreGenerations, type StoreGenerationsOptions } from '../src/object-store/store-generations.js';

export const HOUR_MS = 3_600_000;
export const DEPENDENCIES = ['f', 'n:content'];

/** One instance of a cache as far as its third tier goes. */
export interface Instance {
  readonly store: ObjectStore;
  readonly gate: ObjectGate;
  readonly tier: ObjectTier;
  readonly generations: StoreGenerations;
}

export interface InstanceOptions
  extends Partial<ObjectTierOptions>, Partial<StoreGenerationsOptions>, Partial<ObjectGateOptions> {
  /** Before the folder, to make it fail. */
  readonly around?: (store: ObjectStore) => ObjectStore;
}

/** The store, but for what is changed. */
export const alter = (store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore => ({
  put: (...args) => store.put(...args),
  get: (...args) => store.get(...args),
  head: (...args) => store.head(...args),
  delete: (keys) => store.delete(keys),
  clear: (prefix) => store.clear(prefix),
  stats: () => store.stats(),
  sweep: async () => store.sweep?.(),
  close: () => store.close(),
  ...changes,
});

const PLAIN: ObjectFormat = { codec: createCodec(), streams: 'compressed' };

/** Bytes that can not be compressed. */
export const noise = (bytes: number): Buffer => createHash('shake128', { outputLength: bytes }).digest();

export const draftOf = (value: unknown, times: Partial<EntryDraft> = {}): EntryDraft => ({
  value,
  freshMs: HOUR_MS,
  hardMs: 2 * HOUR_MS,
  loadMs: 12,
  createdAt: 1_234,
  ...times,
});

/** Folders, and instances on them; all of it is gone after `stop`. */
export class ObjectFixture {
  readonly #folders: string[] = [];
  readonly #instances: Instance[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-tier-'));
    this.#folders.push(folder);
    return folder;
  }

  open(folder: string, { around = (it) => it, ...options }: InstanceOptions = {}): Instance {
    const store = around(new FolderStore({ path: folder, ...(options.now && { now: options.now }) }));
    const shared = { prefix: 'test', ttlMs: 24 * HOUR_MS, ...options };
    const gate = new ObjectGate(store, { timeoutMs: 5_000, ...options });
    const generations = new StoreGenerations(gate, shared);
    const note = (entry: string, scopes: readonly string[]) => generations.note(entry, scopes);
    const tier = new ObjectTier(gate, { formatOf: () => PLAIN, note, ...shared });
    const instance = { store, gate, tier, generations };
    this.#instances.push(instance);
    return instance;
  }

  async stop(): Promise<void> {
    for (const { store, gate, generations } of this.#instances.splice(0)) {
      await generations.close();
      gate.close();
      await store.close();
    }
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}

/** The generations of an entry; the test fails when the store does not tell them. */
export async function noteOf(
  { generations }: Instance,
  entry: string,
  scopes: readonly string[] = DEPENDENCIES,
) {
  const noted = await generations.note(entry, scopes);
  if (noted === undefined) throw new Error('the generations are not known');
  return noted;
}

/** What a reader gets: the value, or undefined. */
export async function valueOf(instance: Instance, entry: string, scopes: readonly string[] = DEPENDENCIES) {
  const noted = await instance.generations.note(entry, scopes);
  return noted && (await instance.tier.read(entry, noted))?.value;
}

/** What a loader does: notes, loads, writes. */
export async function keep(
  instance: Instance,
  entry: string,
  value: unknown,
  scopes: readonly string[] = DEPENDENCIES,
  times: Partial<EntryDraft> = {},
): Promise<boolean> {
  return instance.tier.write(entry, await noteOf(instance, entry, scopes), draftOf(value, times));
}
