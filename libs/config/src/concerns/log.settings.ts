import { defineSettings, setting } from '../settings/define-settings.js';
import { oneOf, wholeNumber } from '../settings/value-types.js';

/** Logs. */
export const logSettings = defineSettings('Log', {
  level: setting('LOG_LEVEL', oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace']), {
    description: 'Least severe level that is written.',
    default: 'info',
  }),
  format: setting('LOG_FORMAT', oneOf(['json', 'pretty']), {
    description: 'json: one object a line, for machines. pretty: for people.',
    default: 'json',
  }),
  slowRequestMs: setting('SLOW_REQUEST_MS', wholeNumber(1, 3_600_000), {
    description: 'A request that takes longer is logged as slow, milliseconds.',
    default: '500',
  }),
});
