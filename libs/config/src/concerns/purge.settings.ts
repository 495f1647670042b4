import { defineSettings, setting, type RuleProblem } from '../settings/define-settings.js';
import { listOf, oneOf, optional, text, url, wholeNumber } from '../settings/value-types.js';

const urls = () =>
  listOf(
    /^https?:\/\/[^/\s]+\/?$/,
    'addresses such as https://www.example.com, separated by commas',
    (it) => it,
  );
const visible = (expected: string) => optional(text(expected, /^[\x21-\x7e]+$/));

/** What each provider cannot do without. */
const NEEDED = {
  none: [],
  cloudflare: ['id', 'apiToken', 'siteUrls'],
  fastly: ['id', 'apiToken', 'siteUrls'],
  cloudfront: ['id'],
  varnish: ['serverUrls'],
  'http-purge': ['serverUrls'],
  'nginx-cache': ['cacheFolder'],
} as const;

/** The CDN or cache in front of the platform, which is told what is no longer valid. */
export const purgeSettings = defineSettings(
  'CDN purges',
  {
    provider: setting(
      'CDN_PROVIDER',
      oneOf(['none', 'cloudflare', 'cloudfront', 'fastly', 'varnish', 'http-purge', 'nginx-cache']),
      {
        description: 'What is in front of the platform and is told what is no longer valid.',
        default: 'none',
      },
    ),
    id: setting('CDN_ID', visible('an id without blanks'), {
      description: 'Zone of Cloudflare, distribution of CloudFront, service of Fastly.',
      example: '023e105f4ecef8ad9ca31a8372d0c353',
    }),
    apiToken: setting('CDN_API_TOKEN', visible('visible ASCII characters'), {
      description: 'Token of Cloudflare or Fastly, or what Varnish and http-purge ask for.',
      secret: true,
    }),
    accessKeyId: setting('CDN_ACCESS_KEY_ID', visible('an access key id'), {
      description:
        "Access key id for CloudFront. Unset: the AWS SDK's own search (environment, profile, role).",
      secret: true,
    }),
    secretAccessKey: setting('CDN_SECRET_ACCESS_KEY', visible('a secret access key'), {
      description: 'Secret access key for CloudFront; goes together with the access key id.',
      secret: true,
    }),
    siteUrls: setting('CDN_SITE_URLS', optional(urls()), {
      description: 'Where visitors come to; Cloudflare and Fastly purge paths by full address.',
      example: 'https://www.example.com',
    }),
    serverUrls: setting('CDN_SERVER_URLS', optional(urls()), {
      description: 'Every server of Varnish or http-purge.',
      example: 'http://10.0.0.5:6081',
    }),
    cacheFolder: setting('CDN_CACHE_FOLDER', optional(text('a path without NUL', /^[^\0]+$/)), {
      description: 'Cache folder of the nginx on this machine, with the provider nginx-cache.',
      example: '/var/cache/nginx/answers',
    }),
    cloudflarePlan: setting('CDN_CLOUDFLARE_PLAN', oneOf(['free', 'pro', 'business', 'enterprise']), {
      description: 'Decides how many purges Cloudflare takes.',
      default: 'free',
    }),
    apiUrl: setting('CDN_API_URL', optional(url('https', 'http')), {
      description: "Another address of the provider's API, for tests.",
    }),
    timeoutMs: setting('CDN_PURGE_TIMEOUT_MS', wholeNumber(100, 120_000), {
      description: 'Longest wait for an answer to a purge, milliseconds.',
      default: '10000',
    }),
    probeUrl: setting('CDN_PROBE_URL', optional(url('https', 'http')), {
      description:
        'Where the CDN answers: purges are then proved by the age of what it says. Unset: not proved.',
      example: 'https://www.example.com',
    }),
    probePaths: setting(
      'CDN_PROBE_PATHS',
      optional(listOf(/^\/[!-~]*$/, 'paths separated by commas', (it) => it)),
      {
        description: 'Paths to look at after purges by tag or of everything.',
        example: '/',
      },
    ),
    apiTtlSeconds: setting('CDN_API_TTL_SECONDS', wholeNumber(0, 86_400), {
      description:
        'How long the CDN may keep file contents of the API, for each API key by itself, seconds. 0: not at all. Only for a CDN that varies by Authorization and X-API-Key, as the Varnish configuration here does.',
      default: '0',
    }),
  },
  ({ provider = 'none', ...values }) => [
    ...NEEDED[provider].flatMap((property): RuleProblem<keyof typeof values>[] =>
      values[property] === undefined
        ? [{ property, expected: `a value, because CDN_PROVIDER is ${provider}` }]
        : [],
    ),
    ...(values.accessKeyId !== undefined && values.secretAccessKey === undefined
      ? [{ property: 'secretAccessKey' as const, expected: 'a value, because CDN_ACCESS_KEY_ID is set' }]
      : []),
  ],
);
