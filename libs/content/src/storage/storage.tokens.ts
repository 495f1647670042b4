/** The parsed `StorageOptions`. */
export const STORAGE_OPTIONS = Symbol.for('@peregrine/content:storage-options');

/** The `StorageDrivers` that the `ObjectStore` uses, and closes. */
export const STORAGE_DRIVERS = Symbol.for('@peregrine/content:storage-drivers');
