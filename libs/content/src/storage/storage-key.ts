import { StorageKeyError } from './storage.errors.js';

const KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether this is a key: a UUID in lower case. Such a key cannot leave a folder, whatever is built from it. */
export function isStorageKey(key: string): boolean {
  return KEY.test(key);
}

/** @throws {StorageKeyError} */
export function assertStorageKey(key: string): void {
  if (!isStorageKey(key)) throw new StorageKeyError();
}
