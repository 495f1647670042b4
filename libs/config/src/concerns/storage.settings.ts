import { defineSettings, setting } from '../settings/define-settings.js';
import { oneOf, optional, text, trueOrFalse, url, wholeNumber } from '../settings/value-types.js';

/** File storage. */
export const storageSettings = defineSettings(
  'Storage',
  {
    driver: setting('STORAGE_DRIVER', oneOf(['folder', 's3']), {
      description: 'Where file contents are kept.',
      default: 'folder',
    }),
    folder: setting('STORAGE_FOLDER', text('a path without NUL', /^[^\0]+$/), {
      description: 'Folder for file contents with the driver folder.',
      default: './.peregrine/storage',
    }),
    s3Bucket: setting(
      'STORAGE_S3_BUCKET',
      optional(text('a bucket name', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)),
      {
        description: 'Bucket for file contents; the driver s3 needs it.',
        example: 'peregrine-files',
      },
    ),
    s3Endpoint: setting('STORAGE_S3_ENDPOINT', optional(url('https', 'http')), {
      description: 'Address of an S3-compatible server. Unset: AWS.',
      example: 'https://s3.example.com',
    }),
    s3Region: setting('STORAGE_S3_REGION', text('a region name', /^[a-z0-9-]+$/), {
      description: 'Region of the bucket.',
      default: 'us-east-1',
    }),
    s3AccessKeyId: setting('STORAGE_S3_ACCESS_KEY_ID', optional(text('an access key id', /^\S+$/)), {
      description: "Access key id. Unset: the AWS SDK's own search (environment, profile, role).",
      secret: true,
    }),
    s3SecretAccessKey: setting(
      'STORAGE_S3_SECRET_ACCESS_KEY',
      optional(text('a secret access key', /^\S+$/)),
      {
        description: 'Secret access key; goes together with the access key id.',
        secret: true,
      },
    ),
    s3ForcePathStyle: setting('STORAGE_S3_FORCE_PATH_STYLE', trueOrFalse(), {
      description: 'Name the bucket in the path and not in the host, as most S3-compatible servers want it.',
      default: 'false',
    }),
    databaseMaxBytes: setting('STORAGE_DATABASE_MAX_BYTES', wholeNumber(0, 1_048_576), {
      description: 'Objects up to this size are kept in PostgreSQL, bytes. 0: never.',
      default: '16384',
    }),
    readLatencyMs: setting('STORAGE_READ_LATENCY_MS', wholeNumber(0, 60_000), {
      description: 'Added before each read from storage, milliseconds. For demonstrations only.',
      default: '0',
    }),
  },
  ({ driver, s3Bucket, s3AccessKeyId, s3SecretAccessKey }) => [
    ...(driver === 's3' && s3Bucket === undefined
      ? [{ property: 's3Bucket' as const, expected: 'a bucket name, because STORAGE_DRIVER is s3' }]
      : []),
    ...(s3AccessKeyId !== undefined && s3SecretAccessKey === undefined
      ? [
          {
            property: 's3SecretAccessKey' as const,
            expected: 'a value, because STORAGE_S3_ACCESS_KEY_ID is set',
          },
        ]
      : []),
    ...(s3AccessKeyId === undefined && s3SecretAccessKey !== undefined
      ? [
          {
            property: 's3AccessKeyId' as const,
            expected: 'a value, because STORAGE_S3_SECRET_ACCESS_KEY is set',
          },
        ]
      : []),
  ],
);
