import { Injectable } from '@nestjs/common';
import { type ActionName } from '@peregrine/console';
import { FeatureOverrides } from '@peregrine/runtime';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { invalidateSchema } from '../cdn/cdn.schemas.js';
import { InvalidationsController } from '../cdn/invalidations.controller.js';
import { CacheController } from '../meta/cache.controller.js';
import { flushSchema } from '../meta/cache.schemas.js';
import { ValidationError } from '../problem/problem.js';
import { purgeSchema, redriveSchema } from '../tasks/dead-letter.schemas.js';
import { DeadLettersController } from '../tasks/dead-letters.controller.js';
import { FLAGS } from './figures/flag-figures.js';

/** Does a thing, and says in one sentence what came of it. */
type Action = (input: unknown, reply: FastifyReply) => Promise<string>;

const flag = z.enum(FLAGS);
const flagSetSchema = z.strictObject({ flag, percent: z.number().min(0).max(100).multipleOf(0.01) });
const flagResetSchema = z.strictObject({ flag });

/** What operators can do in the console: the same deeds as over the API, through the same controllers. */
@Injectable()
export class ConsoleActions {
  readonly #actions: Readonly<Record<ActionName, Action>>;

  constructor(
    cache: CacheController,
    deadLetters: DeadLettersController,
    cdn: InvalidationsController,
    overrides: FeatureOverrides,
  ) {
    this.#actions = {
      'cache.flush': action(flushSchema, async (body) => {
        const { flushed, reach, note } = await cache.flush(body);
        return `Removed ${flushed} from ${reach}. ${note}`;
      }),
      'flag.set': action(flagSetSchema, async ({ flag, percent }) => {
        await overrides.set(flag, { percent });
        return `${flag} is on for ${percent} % of the keys; every process follows within seconds.`;
      }),
      'flag.reset': action(flagResetSchema, async ({ flag }) => {
        await overrides.set(flag, undefined);
        return `${flag} is as configured again.`;
      }),
      'dead-letters.redrive': action(redriveSchema, async (body, reply) => {
        const result = await deadLetters.redrive(body, reply);
        return 'redriven' in result
          ? `${result.redriven} of ${result.matched} tasks are back to work.`
          : 'A task puts them back to work; the figures follow.';
      }),
      'dead-letters.purge': action(purgeSchema, async (body, reply) => {
        const result = await deadLetters.purge(body, reply);
        return 'purged' in result
          ? `${result.purged} tasks are gone.`
          : 'A task removes them; the figures follow.';
      }),
      'cdn.purge': action(invalidateSchema, async (body) => (await cdn.invalidate(body)).note),
    };
  }

  /** The action with this name; undefined when there is none. */
  find(name: string): Action | undefined {
    return Object.hasOwn(this.#actions, name) ? this.#actions[name as ActionName] : undefined;
  }
}

/** @throws {ValidationError} when the input does not fit */
function action<S extends z.ZodType>(
  schema: S,
  run: (input: z.output<S>, reply: FastifyReply) => Promise<string>,
): Action {
  return async (input, reply) => {
    const parsed = schema.safeParse(input);
    if (parsed.success) return run(parsed.data, reply);
    throw new ValidationError(
      parsed.error.issues.map(({ path, message }) => ({ field: ['body', ...path].join('.'), message })),
    );
  };
}
