import { CronExpressionParser } from 'cron-parser';
import { InvalidScheduleError } from '../task-queue.errors.js';

/**
 * The ticks of a cron expression with five fields, or six with seconds first, in a time zone. By `cron-parser`; around
 * a change of the clocks, ticks in the hour that is left out run when it would have been, and none runs twice.
 */
export class Cron {
  /**
   * @param timeZone an IANA name
   * @throws {InvalidScheduleError} also when it would never fire
   */
  constructor(
    private readonly schedule: string,
    private readonly expression: string,
    private readonly timeZone: string,
  ) {
    this.#assertTimeZone();
    if (typeof expression !== 'string' || ![5, 6].includes(expression.trim().split(/\s+/).length)) {
      throw new InvalidScheduleError(schedule, 'cron must have five fields, or six with seconds first');
    }
    this.nextAfter(Date.now());
  }

  /** The first tick after a time, epoch milliseconds. @throws {InvalidScheduleError} there is none */
  nextAfter(timeMs: number): number {
    return this.#parsed(timeMs, (it) => it.next().getTime());
  }

  /**
   * The last ticks of a span, oldest first, at most so many; epoch milliseconds.
   *
   * @param fromMs is in it
   * @param untilMs is in it
   */
  lastBetween(fromMs: number, untilMs: number, limit: number): number[] {
    return this.#parsed(untilMs + 1, (it) => {
      const ticks: number[] = [];
      while (ticks.length < limit) {
        const tick = it.prev().getTime();
        if (tick < fromMs) break;
        ticks.push(tick);
      }
      return ticks.reverse();
    });
  }

  #parsed<T>(currentMs: number, read: (it: ReturnType<typeof CronExpressionParser.parse>) => T): T {
    try {
      const currentDate = new Date(currentMs);
      return read(CronExpressionParser.parse(this.expression, { currentDate, tz: this.timeZone }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const problem = `cron ${JSON.stringify(this.expression)} cannot be read or never fires: ${reason}`;
      throw new InvalidScheduleError(this.schedule, problem, { cause: error });
    }
  }

  #assertTimeZone(): void {
    try {
      new Intl.DateTimeFormat('en', { timeZone: this.timeZone });
    } catch (error) {
      const problem = `there is no time zone ${JSON.stringify(this.timeZone)}`;
      throw new InvalidScheduleError(this.schedule, problem, { cause: error });
    }
  }
}
