declare module 's3rver' {
  import type { RequestListener } from 'node:http';

  interface S3Object {
    bucket: string;
    key: string;
  }

  /** The file store behind the server; only what the tests look at. */
  interface FilesystemStore {
    getResourcePath(bucket: string, key: string | undefined, resource: string): string;
    putObject(object: S3Object): Promise<{ size: number; md5: string }>;
    putPart(
      bucket: string,
      uploadId: string,
      partNumber: string,
      content: unknown,
    ): Promise<{ size: number; md5: string }>;
  }

  export default class S3rver {
    readonly store: FilesystemStore;
    constructor(options: {
      directory: string;
      silent?: boolean;
      vhostBuckets?: boolean;
      configureBuckets?: { name: string }[];
    });
    callback(): RequestListener;
    configureBuckets(): Promise<void>;
    readonly logger: { close(): void; exceptions: { unhandle(): void } };
  }
}
