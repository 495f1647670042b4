import { defineSettings, setting } from '../settings/define-settings.js';
import { trueOrFalse, wholeNumber } from '../settings/value-types.js';

/** The operator console of the api. */
export const consoleSettings = defineSettings('Console', {
  actionsEnabled: setting('CONSOLE_ACTIONS_ENABLED', trueOrFalse(), {
    description:
      'Let operators flush, redrive, purge, change rollouts and indexes in the console (/console); false: it only shows.',
    default: 'false',
  }),
  sessionMinutes: setting('CONSOLE_SESSION_MINUTES', wholeNumber(1, 720), {
    description: 'How long a session of the console lasts without a sign of its operator, minutes.',
    default: '30',
  }),
});
