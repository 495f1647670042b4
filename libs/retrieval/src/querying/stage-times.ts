import { Injectable } from '@nestjs/common';
import { type RetrievalMode } from '../search/certified-search.js';
import { type RetrievalPlanName } from '../plans/retrieval-plan.js';
import { type StageTime } from './retrieval-answer.js';

/** How much the newest time counts. */
const NEWEST = 0.1;

/** What the stages of queries have taken lately, by plan and mode. */
@Injectable()
export class StageTimes {
  readonly #usualMs = new Map<string, number>();

  /** Says of each stage what it was expected to take, and learns what it took. */
  learn(
    plan: RetrievalPlanName,
    mode: RetrievalMode,
    stages: readonly { readonly name: string; readonly durationMs: number }[],
  ): StageTime[] {
    return stages.map(({ name, durationMs }) => {
      const key = `${plan} ${mode} ${name}`;
      const usualMs = this.#usualMs.get(key);
      this.#usualMs.set(key, usualMs === undefined ? durationMs : usualMs + NEWEST * (durationMs - usualMs));
      return { name, durationMs, predictedMs: usualMs ?? null };
    });
  }
}
