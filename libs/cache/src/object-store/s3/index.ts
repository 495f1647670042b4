/** `@peregrine/cache/s3`: the object store on a bucket. Needs `@aws-sdk/client-s3` and `@aws-sdk/lib-storage`. */
export { S3Store } from './s3-store.js';
export type { S3StoreOptions } from './s3-store.options.js';
