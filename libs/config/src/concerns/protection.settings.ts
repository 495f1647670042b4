import { defineSettings, setting } from '../settings/define-settings.js';
import { trueOrFalse, wholeNumber } from '../settings/value-types.js';

const MAX_PER_SECOND = 1_000_000;
const MAX_MS = 86_400_000;

const burst = (variable: string, whose: string, byDefault: string) =>
  setting(variable, wholeNumber(10, MAX_PER_SECOND), {
    description: `Tokens that ${whose} can save up. Most requests cost 1, uploads up to 10.`,
    default: byDefault,
  });

/** How the api protects itself from too many requests, and from slow ones. */
export const protectionSettings = defineSettings(
  'Protection',
  {
    rateLimitsEnabled: setting('RATE_LIMITS_ENABLED', trueOrFalse(), {
      description: 'Limit the requests of each API key, and of each address that shows none.',
      default: 'true',
    }),
    rateLimitLocal: setting('RATE_LIMIT_LOCAL', trueOrFalse(), {
      description:
        'Limit callers on this machine too; false: a loopback address without a proxy has no limit.',
      default: 'false',
    }),
    keyPerSecond: setting('RATE_LIMIT_KEY_PER_SECOND', wholeNumber(1, MAX_PER_SECOND), {
      description: 'Tokens a second for each API key, held together by all processes.',
      default: '200',
    }),
    keyBurst: burst('RATE_LIMIT_KEY_BURST', 'an API key', '2000'),
    addressPerSecond: setting('RATE_LIMIT_ADDRESS_PER_SECOND', wholeNumber(1, MAX_PER_SECOND), {
      description: 'Tokens a second for each address (IPv6: each /64) of requests without a known API key.',
      default: '50',
    }),
    addressBurst: burst('RATE_LIMIT_ADDRESS_BURST', 'an address', '500'),
    failuresPerMinute: setting('RATE_LIMIT_FAILURES_PER_MINUTE', wholeNumber(1, MAX_PER_SECOND), {
      description:
        'Wrong API keys a minute from one address; beyond it only known keys are let in from there.',
      default: '30',
    }),
    storeTimeoutMs: setting('RATE_LIMIT_STORE_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
      description:
        'Longest wait for Redis or PostgreSQL about a rate limit, milliseconds; then the process counts for itself.',
      default: '250',
    }),
    trustedProxyHops: setting('TRUSTED_PROXY_HOPS', wholeNumber(0, 10), {
      description: 'Proxies in front whose X-Forwarded-For is believed. 0: none, only the connection counts.',
      default: '0',
    }),
    concurrencyLimitEnabled: setting('CONCURRENCY_LIMIT_ENABLED', trueOrFalse(), {
      description: 'Answer 503 to requests above what the process can do at once, by their latency.',
      default: 'true',
    }),
    concurrencyMin: setting('CONCURRENCY_LIMIT_MIN', wholeNumber(1, 100_000), {
      description: 'Requests at once that are always admitted.',
      default: '20',
    }),
    concurrencyMax: setting('CONCURRENCY_LIMIT_MAX', wholeNumber(1, 100_000), {
      description: 'Requests at once that are admitted while latencies are good.',
      default: '1000',
    }),
    queueWaitMs: setting('CONCURRENCY_QUEUE_MS', wholeNumber(1, MAX_MS), {
      description: 'Longest wait of a request for its turn, milliseconds.',
      default: '1000',
    }),
    headersTimeoutMs: setting('HEADERS_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
      description: 'Longest time until the headers of a request are there, milliseconds.',
      default: '15000',
    }),
    minBodyBytesPerSecond: setting('MIN_BODY_BYTES_PER_SECOND', wholeNumber(0, MAX_PER_SECOND), {
      description:
        'A body that arrives more slowly is refused with 408, bytes a second. 0 switches the limit off.',
      default: '500',
    }),
    bodyGraceMs: setting('BODY_GRACE_MS', wholeNumber(1, MAX_MS), {
      description: 'Stretch over which the pace of a body is measured, milliseconds.',
      default: '10000',
    }),
    maxConnections: setting('MAX_CONNECTIONS', wholeNumber(1, 1_000_000), {
      description: 'Connections at once; more are closed unanswered.',
      default: '10000',
    }),
  },
  ({ concurrencyMin, concurrencyMax }) =>
    concurrencyMin !== undefined && concurrencyMax !== undefined && concurrencyMax < concurrencyMin
      ? [{ property: 'concurrencyMax', expected: `CONCURRENCY_LIMIT_MIN (${concurrencyMin}) or more` }]
      : [],
);
