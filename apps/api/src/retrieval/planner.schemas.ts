import { z } from 'zod';

const count = z.int().min(0);
const ms = z.number();
const counts = z.record(z.string(), count);

const blockSchema = z.object({
  from: count.describe('Number of the first run, from 1'),
  runs: count,
  at: z.iso.datetime().describe('When the last one ended'),
  actualMs: ms.describe('Mean'),
  fallbackMs: ms.nullable().describe('Mean that the fixed rule was predicted to take; null: not known'),
  regretMs: ms.describe('Mean by which the best plan was predicted to be faster'),
  explored: count,
});

const calibrationSchema = z
  .object({
    embedder: z.string(),
    calibration: z.object({
      z: z.number().describe('What answers with a floor of up to 0.95 are certified at'),
      from: z
        .enum(['option', 'chunk', 'query', 'failure'])
        .describe(
          'Where it comes from: the default, samples of passages, of queries, or an answer that failed',
        ),
      samples: count,
      failures: count.describe('Of the samples: certified, and under the floor'),
    }),
    outcomes: counts.describe(
      'Queries of this process that were to be answered again, by what became of them',
    ),
  })
  .describe('What answers are certified at');

/** Figures of this process since its start. */
export const plannerSchema = z
  .object({
    certainty: calibrationSchema,
    decisions: z
      .array(z.object({ plan: z.string(), reason: z.string(), count }))
      .describe('Plans that were chosen'),
    cache: z
      .object({ entries: count, hits: count, misses: count, drops: counts.describe('By reason') })
      .describe('Plans that are remembered'),
    training: z.object({
      modelVersion: count.describe('0: there is no model; a prior is 1'),
      samples: count,
      isTraining: z.boolean(),
      rounds: counts.describe('Trainings, by what became of them'),
      latest: z.array(z.looseObject({ outcome: z.string() })).describe('The latest first'),
    }),
    exploration: z.object({
      hour: z
        .object({ spentMs: ms, reservedMs: ms, allowedMs: ms })
        .describe('What it has cost in this hour, is set aside for, and may cost'),
      spentMs: ms.describe('Since the start'),
      refused: count.describe('Not tried for lack of budget'),
    }),
    regret: z.object({
      runs: count,
      actualMs: ms.describe('All of them'),
      regretMs: ms.describe('By how much the best plans were predicted to be faster, all together'),
      blocks: z.array(blockSchema).describe('Over time, oldest first'),
    }),
    calibration: z
      .record(
        z.string(),
        z.object({
          runs: count,
          meanLogRatio: z.number().nullable().describe('Of actual to predicted, natural logarithm'),
          withinFactor2: z
            .number()
            .nullable()
            .describe('Share that took half to twice of what was predicted'),
        }),
      )
      .describe('Predictions, by plan'),
    drift: z
      .record(
        z.string(),
        z.object({
          value: z.number().describe('An alarm at the threshold'),
          threshold: z.number(),
          alarms: count,
          isSuspended: z.boolean().describe('Runs by exploration only, until a model knows better'),
          lastAlarm: z.object({ at: z.iso.datetime(), factor: z.number(), action: z.string() }).nullable(),
        }),
      )
      .describe('By plan'),
  })
  .meta({ id: 'RetrievalPlanner' });
