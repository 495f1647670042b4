import { defineSettings, setting } from '../settings/define-settings.js';
import { optional, text } from '../settings/value-types.js';

/** Keys. */
export const securitySettings = defineSettings('Security', {
  cursorSecret: setting('CURSOR_SECRET', text('at least 32 characters', /^[\s\S]{32,}$/), {
    description: 'Signs the cursors of lists. All processes need the same; a new one invalidates open lists.',
    secret: true,
  }),
  bootstrapAdminKey: setting(
    'BOOTSTRAP_ADMIN_KEY',
    optional(text('at least 32 visible ASCII characters', /^[\x21-\x7e]{32,}$/)),
    {
      description: 'An API key with the admin scope that is created at start.',
      secret: true,
    },
  ),
});
