import { Injectable } from '@nestjs/common';
import { type TaskContext, type TaskExecutor, TaskHandler, type TaskPayload } from '@peregrine/task-queue';
import { AiError } from '../ai.errors.js';
import { analyseBatch } from '../ai.tasks.js';
import { type Finding } from './analysis.js';
import { AnalysisService } from './analysis.service.js';

/** Findings of one code in the result of a batch at most: results of tasks are kept, and there are many codes. The rest is a hit away. */
const MAX_FINDINGS_OF_ITEM = 20;

export type BatchItemResult = { readonly name: string } & (
  | {
      readonly ok: true;
      readonly errors: number;
      readonly warnings: number;
      readonly findings: readonly Finding[];
      readonly source: string;
    }
  | { readonly ok: false; readonly code: string; readonly message: string }
);

/** One after the other: an analysis takes a core, and a provider has its limits. An item that cannot be analysed fails alone. */
@TaskHandler(analyseBatch)
@Injectable()
export class AnalyseBatchHandler implements TaskExecutor<typeof analyseBatch, { items: BatchItemResult[] }> {
  constructor(private readonly analyses: AnalysisService) {}

  async execute({ tenant, items }: TaskPayload<typeof analyseBatch>, context: TaskContext) {
    const results: BatchItemResult[] = [];
    for (const { name, ...item } of items) {
      context.signal.throwIfAborted();
      results.push({ name, ...(await this.#analyse({ tenant, ...item })) });
      await context.progress({ done: results.length, total: items.length });
    }
    return { items: results };
  }

  async #analyse(request: { tenant: string; code: string; language: string; rules: string[] }) {
    try {
      const { analysis, source } = await this.analyses.analyse(request);
      const { errors, warnings, findings } = analysis;
      return {
        ok: true as const,
        errors,
        warnings,
        findings: findings.slice(0, MAX_FINDINGS_OF_ITEM),
        source,
      };
    } catch (error) {
      // Those of the code itself stay with it; a provider that is away is worth another attempt of the whole.
      if (!(error instanceof AiError) || !OF_THE_ITEM.has(error.code)) throw error;
      return { ok: false as const, code: error.code, message: error.message };
    }
  }
}

const OF_THE_ITEM: ReadonlySet<string> = new Set([
  ...[
    'AI_INVALID_INPUT',
    'AI_UNKNOWN_LANGUAGE',
    'AI_UNKNOWN_RULE',
    'AI_ANALYSIS_TIMEOUT',
    'AI_ANALYSIS_FAILED',
  ],
  ...['AI_REQUEST_REFUSED', 'AI_PROVIDER_ANSWER'],
]);
