import { describe, expect, it } from '@jest/globals';
import { storageFault } from './storage-fault.js';
import { StorageRangeError, StorageUnavailableError } from './storage.errors.js';

const failure = (code: string) =>
  Object.assign(new Error(`${code}: failed, open '/srv/secret/path'`), { code });

describe('a fault of a storage', () => {
  it.each([
    ['ENOSPC', 'The folder storage cannot write: no space is left on the device (ENOSPC)'],
    ['EDQUOT', 'The folder storage cannot write: the quota is used up (EDQUOT)'],
    ['EACCES', 'The folder storage cannot write: access is denied (EACCES)'],
    ['EROFS', 'The folder storage cannot write: the file system is read-only (EROFS)'],
    ['EWHATEVER', 'The folder storage cannot write: EWHATEVER'],
  ])('says what %s means, without the path', (code, message) => {
    const cause = failure(code);
    const error = storageFault('folder', 'write', cause);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', driver: 'folder', message, cause });
  });

  it('falls back to the name of an error without a code', () => {
    expect(storageFault('s3', 'read', new TypeError('x')).message).toBe(
      'The s3 storage cannot read: TypeError',
    );
    expect(storageFault('s3', 'read', undefined).message).toBe('The s3 storage cannot read: unknown error');
  });

  it('leaves an error alone that already says what happened', () => {
    const error = new StorageRangeError({ start: 5, end: 1 });
    expect(storageFault('s3', 'read', error)).toBe(error);
  });
});
