import { describe, expect, it } from '@jest/globals';
import { StorageOptionsError } from './storage.errors.js';
import { parseStorageOptions, type StorageOptionsInput } from './storage.options.js';

const folder = { root: '/var/lib/peregrine' };

describe('the storage options', () => {
  it('fill in their defaults and are frozen', () => {
    const options = parseStorageOptions({ driver: 'folder', folder });
    expect(options).toEqual({ driver: 'folder', folder, databaseMaxBytes: 16_384, readLatencyMs: 0 });
    expect(Object.isFrozen(options)).toBe(true);
    expect(Object.isFrozen(options.folder)).toBe(true);
  });

  it('fill in the defaults of S3', () => {
    const { s3 } = parseStorageOptions({ driver: 's3', s3: { bucket: 'files' } });
    expect(s3).toMatchObject({ region: 'us-east-1', prefix: '', maxAttempts: 3, partBytes: 8 * 1024 * 1024 });
  });

  it.each<[string, StorageOptionsInput, string]>([
    ['a driver without its options', { driver: 's3', folder }, 'the driver s3 needs these options'],
    ['a relative folder', { driver: 'folder', folder: { root: 'data' } }, 'expected an absolute path'],
    ['a misspelt option', { driver: 'folder', folder, readLatency: 5 } as StorageOptionsInput, 'readLatency'],
    ['a negative limit', { driver: 'folder', folder, databaseMaxBytes: -1 }, 'databaseMaxBytes'],
    ['an endpoint that is no URL', { driver: 's3', s3: { bucket: 'files', endpoint: 'here' } }, 'endpoint'],
    ['a prefix that is no folder', { driver: 's3', s3: { bucket: 'files', prefix: '../x' } }, 'prefix'],
  ])('refuse %s and name it', (_name, input, message) => {
    expect(() => parseStorageOptions(input)).toThrow(message);
  });

  it('report every problem at once, and no secret', () => {
    const parse = () =>
      parseStorageOptions({ driver: 's3', s3: { bucket: 'f', secretAccessKey: 'hunter2', maxAttempts: 0 } });
    expect(parse).toThrow(StorageOptionsError);
    expect(parse).toThrow(/bucket[^]*maxAttempts|maxAttempts[^]*bucket/);
    expect(parse).not.toThrow(/hunter2/);
  });

  it('refuse half a pair of credentials', () => {
    const s3 = { bucket: 'files', accessKeyId: 'key' };
    expect(() => parseStorageOptions({ driver: 's3', s3 })).toThrow(
      'accessKeyId and secretAccessKey belong together',
    );
  });
});
