import { z } from 'zod';
import { defineSettings, type RuleProblem, setting } from '../settings/define-settings.js';
import { listOf, oneOf, optional, text, url, wholeNumber } from '../settings/value-types.js';

const name = (expected: string) => optional(text(expected, /^[\x21-\x7e]+$/));

/** AI results: who makes them, and what they may cost. */
export const aiSettings = defineSettings(
  'AI',
  {
    baseUrl: setting('AI_BASE_URL', optional(url('https', 'http')), {
      description:
        'Endpoint that speaks the protocol of OpenAI, with its version. Unset: embeddings and analyses are made here, chat is refused.',
      example: 'https://api.openai.com/v1',
    }),
    apiKey: setting('AI_API_KEY', name('visible ASCII characters'), {
      description: 'Key of the endpoint; servers of your own often need none.',
      secret: true,
    }),
    chatModel: setting('AI_CHAT_MODEL', name('the name of a model'), {
      description: 'Model of the endpoint for chat.',
      example: 'gpt-4o-mini',
    }),
    chatModels: setting(
      'AI_CHAT_MODELS',
      optional(listOf(/^[\x21-\x2b\x2d-\x7e]+$/, 'names of models, separated by commas', (it) => it)),
      { description: 'Other models that callers may name.', example: 'gpt-4o,gpt-4.1-mini' },
    ),
    embeddingModel: setting('AI_EMBEDDING_MODEL', name('the name of a model'), {
      description:
        'Model of the endpoint for embeddings. Unset: the local one, 384 dimensions, lexical only.',
      example: 'text-embedding-3-small',
    }),
    embeddingDimensions: setting('AI_EMBEDDING_DIMENSIONS', wholeNumber(1, 8_192), {
      description: 'Length of the vectors of AI_EMBEDDING_MODEL.',
      default: '1536',
    }),
    analysis: setting('AI_ANALYSIS', oneOf(['local', 'model']), {
      description: 'Who analyses code. local: ESLint, JavaScript and TypeScript. model: AI_CHAT_MODEL.',
      default: 'local',
    }),
    semanticReuse: setting('AI_SEMANTIC_REUSE', semanticReuse(), {
      description:
        'off, or how near (cosine) a question must be to another one to be answered with its kept reply; 0.97 is a good start. ' +
        'Numbers, names and negations must agree; an ordinary word need not, so that an answer can be wrong.',
      default: 'off',
    }),
    timeoutMs: setting('AI_TIMEOUT_MS', wholeNumber(100, 600_000), {
      description: 'Longest silence of the endpoint, milliseconds.',
      default: '60000',
    }),
    maxAttempts: setting('AI_MAX_ATTEMPTS', wholeNumber(1, 10), {
      description: 'Attempts of one call, the first included.',
      default: '3',
    }),
    dailyBudgetUsd: setting('AI_DAILY_BUDGET_USD', optional(dollars()), {
      description:
        'What all processes together may spend from 00:00 to 24:00 UTC, US dollars. Unset: no limit.',
      example: '25',
    }),
    modelPrices: setting(
      'AI_MODEL_PRICES',
      optional(
        listOf(
          /^[\x21-\x2b\x2d-\x3c\x3e-\x7e]+=\d{1,5}(?:\.\d{1,6})?\/\d{1,5}(?:\.\d{1,6})?$/,
          'model=input/output, US dollars for a million tokens, separated by commas',
          priceOf,
        ),
      ),
      {
        description: 'Prices of your contract; they go before the published ones.',
        example: 'my-model=0.5/1.5',
      },
    ),
  },
  ({ analysis, ...values }) => {
    const problems: RuleProblem<keyof typeof values>[] = [];
    const isNeeded = values.chatModel ?? values.embeddingModel ?? values.apiKey;
    if (values.baseUrl === undefined && isNeeded !== undefined) {
      problems.push({
        property: 'baseUrl',
        expected: 'a value, because a key or a model of an endpoint is set',
      });
    }
    if (analysis === 'model' && values.chatModel === undefined) {
      problems.push({ property: 'chatModel', expected: 'a value, because AI_ANALYSIS is model' });
    }
    return problems;
  },
);

function priceOf(item: string): { model: string; inputUsd: number; outputUsd: number } {
  const [model = '', prices = ''] = item.split('=');
  const [inputUsd = 0, outputUsd = 0] = prices.split('/').map(Number);
  return { model, inputUsd, outputUsd };
}

/** @returns undefined for `off` */
function semanticReuse(): z.ZodType<number | undefined, string> {
  const expected = 'off, or a number from 0.9 to 1, such as 0.97';
  return z
    .string(expected)
    .regex(/^(?:off|0\.9\d{0,5}|1(?:\.0{1,6})?)$/, expected)
    .transform((it) => (it === 'off' ? undefined : Number(it)))
    .meta({ expected });
}

function dollars(): z.ZodType<number, string> {
  const expected = 'an amount such as 25 or 0.50';
  return z
    .string(expected)
    .regex(/^(?:0|[1-9]\d{0,5})(?:\.\d{1,6})?$/, expected)
    .transform(Number)
    .meta({ expected });
}
