import { defineSettings, setting } from '../settings/define-settings.js';
import { optional, text, trueOrFalse, wholeNumber } from '../settings/value-types.js';

/** What a process does when its memory runs short, and the profiles that it takes of itself. */
export const memorySettings = defineSettings(
  'Memory',
  {
    managerEnabled: setting('MEMORY_MANAGER_ENABLED', trueOrFalse(), {
      description:
        'Give memory back and refuse new work before the process is killed for want of it; false: only watch.',
      default: 'true',
    }),
    limitBytes: setting('MEMORY_LIMIT_BYTES', optional(wholeNumber(2 ** 26, Number.MAX_SAFE_INTEGER)), {
      description:
        "Most memory (RSS) of one process, bytes. Unset: that of its control group, or the machine's memory.",
      example: '536870912',
    }),
    nodeOptions: setting('NODE_OPTIONS', optional(text('options of Node')), {
      description:
        'Options of Node itself, read before this file is; --max-old-space-size bounds the heap, MiB.',
      example: '--max-old-space-size=1024',
    }),
    trimPercent: setting('MEMORY_TRIM_PERCENT', wholeNumber(20, 98), {
      description:
        'From this share of the memory or of the heap on caches are halved, percent. It ends 10 percent points below.',
      default: '85',
    }),
    shedPercent: setting('MEMORY_SHED_PERCENT', wholeNumber(21, 99), {
      description:
        'From this share on caches are emptied, requests answered with 503, and no tasks begun, percent. It ends 10 percent points below.',
      default: '90',
    }),
    profileFolder: setting('PROFILE_FOLDER', text('a path without NUL', /^[^\0]+$/), {
      description: 'Folder for CPU and heap profiles of this process; they may show what is in memory.',
      default: './.peregrine/profiles',
    }),
    profileMaxCount: setting('PROFILE_MAX_COUNT', wholeNumber(1, 100), {
      description: 'Most profiles that are kept; the oldest goes first.',
      default: '20',
    }),
    profileMaxBytes: setting('PROFILE_MAX_BYTES', wholeNumber(2 ** 20, 2 ** 40), {
      description: 'Most bytes of all profiles together; the oldest goes first.',
      default: '536870912',
    }),
    profileOnBreach: setting('PROFILE_ON_BREACH', trueOrFalse(), {
      description:
        'Take a heap profile when memory begins to run short, and a CPU profile when the event loop is late; one in ten minutes at most.',
      default: 'false',
    }),
  },
  ({ trimPercent, shedPercent }) =>
    trimPercent !== undefined && shedPercent !== undefined && shedPercent <= trimPercent
      ? [{ property: 'shedPercent', expected: `more than MEMORY_TRIM_PERCENT (${trimPercent})` }]
      : [],
);
