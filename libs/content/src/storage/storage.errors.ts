import type { StorageDriverName } from './storage-driver.js';

/** Base of every error that the storage throws on purpose; `code` is stable. */
export abstract class StorageError extends Error {
  abstract readonly code: `STORAGE_${string}`;
  override get name() {
    return this.constructor.name;
  }
}

/** The storage options are not valid. The message names each wrong option, and no value of it. */
export class StorageOptionsError extends StorageError {
  readonly code = 'STORAGE_OPTIONS_INVALID';
  constructor(problems: string) {
    super(`The storage options are not valid:\n${problems}`);
  }
}

/** A key is not a lower-case UUID. Keys are made by the store: this is a defect of the caller, or an attack. */
export class StorageKeyError extends StorageError {
  readonly code = 'STORAGE_KEY_INVALID';
  constructor() {
    super('A storage key must be a lower-case UUID');
  }
}

/** The storage cannot serve now: full, not reachable, or access is denied. Trying again later may help. */
export class StorageUnavailableError extends StorageError {
  readonly code = 'STORAGE_UNAVAILABLE';
  readonly driver: StorageDriverName;
  constructor(driver: StorageDriverName, operation: string, reason: string, options?: ErrorOptions) {
    super(`The ${driver} storage cannot ${operation}: ${reason}`, options);
    this.driver = driver;
  }
}

/** No object has this key: deleted meanwhile, or lost. */
export class StorageObjectNotFoundError extends StorageError {
  readonly code = 'STORAGE_OBJECT_NOT_FOUND';
  readonly driver: StorageDriverName;
  readonly key: string;
  constructor(driver: StorageDriverName, key: string, options?: ErrorOptions) {
    super(`The ${driver} storage has no object ${key}`, options);
    this.driver = driver;
    this.key = key;
  }
}

/** A range starts behind the last byte, or ends before it starts. */
export class StorageRangeError extends StorageError {
  readonly code = 'STORAGE_RANGE_INVALID';
  constructor(range: { start: number; end: number }, options?: ErrorOptions) {
    super(`The object has no bytes ${range.start} to ${range.end}`, options);
  }
}

/** An object is larger than the reader, or the driver, takes. */
export class StorageObjectTooLargeError extends StorageError {
  readonly code = 'STORAGE_OBJECT_TOO_LARGE';
  readonly limitBytes: number;
  constructor(limitBytes: number) {
    super(`The object is larger than ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** An upload is larger than its limit. Nothing of it is left behind. */
export class UploadTooLargeError extends StorageError {
  readonly code = 'STORAGE_UPLOAD_TOO_LARGE';
  readonly limitBytes: number;
  constructor(limitBytes: number) {
    super(`The upload is larger than ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** The source of an upload failed or was given up before its end. Nothing of it is left behind. */
export class UploadInterruptedError extends StorageError {
  readonly code = 'STORAGE_UPLOAD_INTERRUPTED';
  readonly receivedBytes: number;
  constructor(receivedBytes: number, options?: ErrorOptions) {
    super(`The upload broke off after ${receivedBytes} bytes`, options);
    this.receivedBytes = receivedBytes;
  }
}
