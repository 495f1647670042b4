import { z } from 'zod';

export const healthDetailsSchema = z
  .object({
    checks: z.array(
      z.object({
        name: z.string(),
        criticality: z.enum(['critical', 'degraded']).describe('critical: not ready while it is down'),
        status: z.enum(['up', 'down']),
        checkedMsAgo: z.int().nullable().describe('Null before the first run'),
        durationMs: z.int().nullable().describe('Of the last run'),
        reason: z.string().nullable().describe('Why it is down'),
      }),
    ),
  })
  .meta({
    id: 'HealthDetails',
    examples: [
      {
        checks: [
          {
            name: 'cache',
            criticality: 'degraded',
            status: 'down',
            checkedMsAgo: 412,
            durationMs: 2,
            reason: 'connect ECONNREFUSED 127.0.0.1:6379',
          },
        ],
      },
    ],
  });
