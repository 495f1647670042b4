import { defineSettings, setting } from '../settings/define-settings.js';
import { text, trueOrFalse, wholeNumber } from '../settings/value-types.js';

const MAX_MS = 86_400_000;

/** The HTTP server of api and worker. */
export const httpSettings = defineSettings(
  'HTTP',
  {
    host: setting('HOST', text('an address or a host name without spaces', /^\S+$/), {
      description:
        'Address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 or :: for all. Prefer an address to localhost.',
      default: '127.0.0.1',
    }),
    port: setting('PORT', wholeNumber(0, 65_535), {
      description: 'Port to listen on. 0 takes any free port.',
      default: '3000',
    }),
    bodyLimitBytes: setting('BODY_LIMIT_BYTES', wholeNumber(1, 2 ** 30), {
      description: 'Largest JSON request body, bytes.',
      default: '1048576',
    }),
    uploadLimitBytes: setting('UPLOAD_LIMIT_BYTES', wholeNumber(1, Number.MAX_SAFE_INTEGER), {
      description: 'Largest uploaded file, bytes.',
      default: '1073741824',
    }),
    uploadMaxFiles: setting('UPLOAD_MAX_FILES', wholeNumber(1, 10_000), {
      description: 'Most files in one multipart upload.',
      default: '100',
    }),
    requestTimeoutMs: setting('REQUEST_TIMEOUT_MS', wholeNumber(0, MAX_MS), {
      description: 'Longest time without a byte on a connection, milliseconds. 0 switches the limit off.',
      default: '120000',
    }),
    shutdownDrainMs: setting('SHUTDOWN_DRAIN_MS', wholeNumber(0, MAX_MS), {
      description: 'How long readiness answers 503 before the listener closes, milliseconds.',
      default: '2000',
    }),
    shutdownTimeoutMs: setting('SHUTDOWN_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
      description: 'Longest time from the signal to the end of the process, milliseconds.',
      default: '30000',
    }),
    publicDocs: setting('PUBLIC_DOCS', trueOrFalse(), {
      description:
        'Serve the OpenAPI pages (/docs, /docs-json), which need no API key; false: there are none.',
      default: 'true',
    }),
  },
  ({ shutdownDrainMs, shutdownTimeoutMs }) =>
    shutdownDrainMs !== undefined && shutdownTimeoutMs !== undefined && shutdownTimeoutMs <= shutdownDrainMs
      ? [{ property: 'shutdownTimeoutMs', expected: `more than SHUTDOWN_DRAIN_MS (${shutdownDrainMs})` }]
      : [],
);
