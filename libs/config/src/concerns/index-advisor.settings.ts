import { z } from 'zod';
import { defineSettings, setting } from '../settings/define-settings.js';
import { listOf, oneOf, optional, text, wholeNumber } from '../settings/value-types.js';

/** Indexes that the query optimizer looks for by itself. */
export const indexAdvisorSettings = defineSettings('Index advisor', {
  mode: setting('INDEX_ADVISOR_MODE', oneOf(['off', 'recommend', 'apply']), {
    description:
      'What the worker does about missing indexes. recommend: writes down what would help. apply: builds it as well, measures, keeps or drops.',
    default: 'recommend',
  }),
  schedule: setting(
    'INDEX_ADVISOR_SCHEDULE',
    text('a cron expression of five fields, or six with seconds first', /^\S+(?:\s+\S+){4,5}$/),
    {
      description: 'When the workers look, by the clocks of INDEX_ADVISOR_TIME_ZONE.',
      default: '17 * * * *',
    },
  ),
  indexesPerDay: setting('INDEX_ADVISOR_INDEXES_PER_DAY', wholeNumber(0, 1_000), {
    description: 'Most builds within 24 hours, whatever came of them.',
    default: '3',
  }),
  megabytesPerDay: setting('INDEX_ADVISOR_MB_PER_DAY', wholeNumber(0, 100_000_000), {
    description: 'Most room of the indexes that are built within 24 hours and stay, MB.',
    default: '1024',
  }),
  buildHours: setting(
    'INDEX_ADVISOR_BUILD_HOURS',
    optional(
      listOf(
        /^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/,
        'times of day such as 22:00-04:30, separated by commas',
        (it) => it,
      ),
    ),
    {
      description:
        'When a build may begin, across midnight as well. Unset: at any time. What is under way at the end goes on.',
      example: '22:00-04:30',
    },
  ),
  timeZone: setting('INDEX_ADVISOR_TIME_ZONE', timeZone(), {
    description: 'Of the build hours and the schedule.',
    default: 'UTC',
  }),
  unusedAfterDays: setting('INDEX_ADVISOR_UNUSED_AFTER_DAYS', wholeNumber(1, 3_650), {
    description:
      'An index that was built by the advisor and not used for so many days is proposed to be dropped; with apply it is.',
    default: '30',
  }),
});

function timeZone(): z.ZodType<string, string> {
  const expected = 'a time zone such as Europe/Berlin';
  return z
    .string(expected)
    .refine((it) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: it });
        return true;
      } catch {
        // The only thing that it throws for.
        return false;
      }
    }, expected)
    .meta({ expected });
}
