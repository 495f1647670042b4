import { defineSettings, setting } from '../settings/define-settings.js';
import { optional, text, url, wholeNumber } from '../settings/value-types.js';

/** Assets and the CDN in front of them. */
export const cdnSettings = defineSettings('CDN', {
  root: setting('CDN_ROOT', optional(text('a path without NUL', /^[^\0]+$/)), {
    description:
      'Folder that is served at /static, best one that "npm run cdn -- build" made. Unset: the demo page.',
    example: './assets',
  }),
  baseUrl: setting('CDN_BASE_URL', optional(url('https', 'http')), {
    description:
      'Address of the CDN, for the URLs of assets. Unset: the CDN is left out, URLs are paths of the api.',
    example: 'https://cdn.example.com',
  }),
  graceDays: setting('CDN_GRACE_DAYS', wholeNumber(0, 3_650), {
    description: 'How long files of a replaced release keep answering, days.',
    default: '14',
  }),
  memoryBytes: setting('CDN_MEMORY_BYTES', wholeNumber(1, 2 ** 36), {
    description: 'Bound of assets and their compressed forms in memory, bytes.',
    default: '67108864',
  }),
  accelLocation: setting(
    'CDN_ACCEL_LOCATION',
    optional(text('a path such as /internal', /^(?:\/[\w.-]+)+$/)),
    {
      description:
        'Internal location of an nginx in front that sends large assets (X-Accel-Redirect). Unset: the api does.',
      example: '/internal-assets',
    },
  ),
  edgeLog: setting('CDN_EDGE_LOG', optional(text('a path without NUL', /^[^\0]+$/)), {
    description:
      'Access log of the nginx or Varnish in front, in the format of "npm run cdn": cdn_cache_hit_ratio is then the hit ratio of that edge. Unset: it is that of the api itself.',
    example: '/var/log/nginx/edge.log',
  }),
});
