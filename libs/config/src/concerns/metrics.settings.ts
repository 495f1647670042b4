import { defineSettings, setting } from '../settings/define-settings.js';
import { optional, text, wholeNumber } from '../settings/value-types.js';

/** Who may read the figures, and where. */
export const metricsSettings = defineSettings('Metrics', {
  port: setting('METRICS_PORT', optional(wholeNumber(0, 65_535)), {
    description:
      'Port of its own for /metrics; PORT has none then. 0 takes any free port. Unset: /metrics is on PORT, for this machine only unless there is a METRICS_KEY.',
    example: '9464',
  }),
  host: setting('METRICS_HOST', text('an address or a host name without spaces', /^\S+$/), {
    description: 'Address that METRICS_PORT listens on.',
    default: '127.0.0.1',
  }),
  key: setting('METRICS_KEY', optional(text('at least 32 visible ASCII characters', /^[\x21-\x7e]{32,}$/)), {
    description: 'Key that a scraper has to send: Authorization: Bearer <key>.',
    secret: true,
  }),
});
