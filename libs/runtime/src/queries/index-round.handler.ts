import { Injectable, Logger } from '@nestjs/common';
import { type AdaptiveRound, QueryOptimizer } from '@peregrine/query-optimizer';
import { type TaskContext, type TaskExecutor, TaskHandler } from '@peregrine/task-queue';
import { runIndexRound } from './index-round.task.js';

/** How a round ended, for the task's status; all of it is in its table. */
type RoundSummary = Pick<
  AdaptiveRound,
  'id' | 'outcome' | 'recommended' | 'kept' | 'dropped' | 'failed' | 'reverted'
>;

@TaskHandler(runIndexRound)
@Injectable()
export class IndexRoundHandler implements TaskExecutor<typeof runIndexRound> {
  readonly #log = new Logger('IndexAdvisor');

  constructor(private readonly optimizer: QueryOptimizer) {}

  /** What the database refuses is no failure of the task: the next round may have more luck, and nobody need redrive it. */
  async execute(_payload: object, ctx: TaskContext): Promise<RoundSummary> {
    const round = await this.optimizer.adaptiveIndexing.runRound({
      signal: ctx.signal,
      onProgress: ({ phase, text }) => void ctx.progress({ phase, text }),
    });
    this.#tell(round);
    const { id, outcome, recommended, kept, dropped, failed, reverted } = round;
    return { id, outcome, recommended, kept, dropped, failed, reverted };
  }

  #tell({ outcome, problems, kept, dropped, failed, reverted }: AdaptiveRound): void {
    if (outcome === 'failed')
      this.#log.warn(`A round failed: ${problems.map((it) => `${it.part}: ${it.reason}`).join('; ')}`);
    const changes = { kept, dropped, failed, reverted };
    const told = Object.entries(changes).filter(([, ids]) => ids.length > 0);
    if (told.length > 0) this.#log.log(told.map(([what, ids]) => `${what}: ${ids.join(', ')}`).join('; '));
  }
}
