import { Injectable } from '@nestjs/common';
import { type ActionName } from '@peregrine/console';
import { type Actor, type AuditedTask, FeatureOverrides } from '@peregrine/runtime';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { invalidateSchema } from '../cdn/cdn.schemas.js';
import { InvalidationsController } from '../cdn/invalidations.controller.js';
import { CacheController } from '../meta/cache.controller.js';
import { flushSchema } from '../meta/cache.schemas.js';
import { RecommendationsController } from '../optimizer/recommendations.controller.js';
import { recommendationParameter } from '../optimizer/recommendation.schemas.js';
import { ValidationError } from '../problem/problem.js';
import { purgeSchema, redriveSchema } from '../tasks/dead-letter.schemas.js';
import { DeadLettersController } from '../tasks/dead-letters.controller.js';
import { splitReference, type Submitted } from '../tasks/task-reference.js';
import { FLAGS } from './figures/flag-figures.js';

/** Who acts, and by which request. */
export interface ActionContext {
  readonly actor: Actor;
  readonly requestId: string;
  readonly reply: FastifyReply;
}

/** What came of it. */
export interface Outcome {
  /** One sentence for the operator. */
  readonly message: string;
  /** Does the rest, and tells the audit how it ended. */
  readonly task?: AuditedTask;
}

/** Something that an operator has asked for, checked and not done yet. */
export interface Deed {
  /** As the audit names what it is done to. */
  readonly subject: string;
  run(context: ActionContext): Promise<Outcome>;
}

/** One action: what it is done to, and how. */
interface Action {
  /** Whether what it calls writes into the audit what was asked for and what came of it. */
  readonly auditsItself: boolean;
  /** @throws {ValidationError} when the input does not fit */
  prepare(input: unknown): Deed;
}

const flag = z.enum(FLAGS);
const flagSetSchema = z.strictObject({ flag, percent: z.number().min(0).max(100).multipleOf(0.01) });
const flagResetSchema = z.strictObject({ flag });
const indexSchema = z.strictObject({ recommendation: recommendationParameter });

/** What operators can do in the console: the same deeds as over the API, through the same controllers. */
@Injectable()
export class ConsoleActions {
  readonly #actions: Readonly<Record<ActionName, Action>>;

  constructor(
    private readonly cache: CacheController,
    private readonly deadLetters: DeadLettersController,
    private readonly cdn: InvalidationsController,
    private readonly recommendations: RecommendationsController,
    private readonly overrides: FeatureOverrides,
  ) {
    this.#actions = {
      ...this.#flagActions(),
      ...this.#deadLetterActions(),
      ...this.#indexActions(),
      'cache.flush': action(flushSchema, {
        subject: ({ namespace }) => (namespace === undefined ? 'cache' : `cache/${namespace}`),
        run: async (body) => {
          const { flushed, reach, note } = await this.cache.flush(body);
          return { message: `Removed ${flushed} from ${reach}. ${note}` };
        },
      }),
      'cdn.purge': action(invalidateSchema, {
        subject: ({ paths = [], wildcards = [], tags = [] }) => {
          const targets = [
            ...[...paths, ...wildcards].map((it) => `path:${it}`),
            ...tags.map((it) => `tag:${it}`),
          ];
          return `cdn/${targets.join(' ') || 'everything'}`;
        },
        run: async (body) => ({ message: (await this.cdn.invalidate(body)).note }),
      }),
    };
  }

  /** The action with this name; undefined when there is none. */
  find(name: string): Action | undefined {
    return Object.hasOwn(this.#actions, name) ? this.#actions[name as ActionName] : undefined;
  }

  #flagActions() {
    return {
      'flag.set': action(flagSetSchema, {
        subject: ({ flag }) => `feature/${flag}`,
        run: async ({ flag, percent }) => {
          await this.overrides.set(flag, { percent });
          return {
            message: `${flag} is on for ${percent} % of the keys; every process follows within seconds.`,
          };
        },
      }),
      'flag.reset': action(flagResetSchema, {
        subject: ({ flag }) => `feature/${flag}`,
        run: async ({ flag }) => {
          await this.overrides.set(flag, undefined);
          return { message: `${flag} is as configured again.` };
        },
      }),
    };
  }

  #deadLetterActions() {
    const subject = ({ task }: { task?: string | undefined }) => `dead-letters/${task ?? 'all'}`;
    return {
      'dead-letters.redrive': action(redriveSchema, {
        subject,
        run: async (body, { actor, requestId, reply }) => {
          const asked = { actor: { ...actor }, requestId, subject: subject(body) };
          const result = await this.deadLetters.redrive(body, reply, asked);
          if ('url' in result)
            return inBackground('A task puts them back to work; the figures follow.', result);
          return { message: `${result.redriven} of ${result.matched} tasks are back to work.` };
        },
      }),
      'dead-letters.purge': action(purgeSchema, {
        subject,
        run: async (body, { actor, requestId, reply }) => {
          const asked = { actor: { ...actor }, requestId, subject: subject(body) };
          const result = await this.deadLetters.purge(body, reply, asked);
          if ('url' in result) return inBackground('A task removes them; the figures follow.', result);
          return { message: `${result.purged} tasks are gone.` };
        },
      }),
    };
  }

  #indexActions() {
    const parts = {
      auditsItself: true,
      subject: ({ recommendation }: z.output<typeof indexSchema>) => `index-recommendation/${recommendation}`,
    };
    return {
      'index.apply': action(indexSchema, {
        ...parts,
        run: async ({ recommendation }, { actor, reply }) => {
          const task = await this.recommendations.apply(recommendation, { apiKeyId: actor.id }, reply);
          return inBackground('A task builds it, measures, and keeps it when it helps.', task);
        },
      }),
      'index.revert': action(indexSchema, {
        ...parts,
        run: async ({ recommendation }, { actor, reply }) => {
          const task = await this.recommendations.revert(recommendation, { apiKeyId: actor.id }, reply);
          return inBackground('A task drops it.', task);
        },
      }),
    };
  }
}

interface ActionParts<I> {
  readonly auditsItself?: boolean;
  subject(input: I): string;
  run(input: I, context: ActionContext): Promise<Outcome>;
}

function action<S extends z.ZodType>(schema: S, parts: ActionParts<z.output<S>>): Action {
  return {
    auditsItself: parts.auditsItself ?? false,
    prepare: (input) => {
      const parsed = schema.safeParse(input);
      if (!parsed.success) {
        throw new ValidationError(
          parsed.error.issues.map(({ path, message }) => ({ field: ['body', ...path].join('.'), message })),
        );
      }
      return {
        subject: parts.subject(parsed.data),
        run: (context) => parts.run(parsed.data, context),
      };
    },
  };
}

function inBackground(message: string, { id: reference }: Submitted): Outcome {
  const { task: name, id } = splitReference(reference);
  return { message, task: { name, id } };
}
