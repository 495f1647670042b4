import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { CheckRunner } from './checks/check-runner.js';
import type { CheckResult, HealthCheck } from './checks/health-check.js';
import { HealthDuplicateCheckError } from './health.errors.js';
import { type HealthMetricFamily, healthMetrics } from './health.metrics.js';
import { assertHealthCheck, type HealthOptions } from './health.options.js';
import type { HealthDetail, HealthReport, HealthReportCheck, HealthStatus } from './health.report.js';
import { HEALTH_OPTIONS } from './health.tokens.js';
import { ProcessVitals } from './vitals/process-vitals.js';

/** Liveness' own entries in the answers; no dependency may take their names. */
const PROCESS_CHECKS: readonly string[] = ['event-loop', 'heap', 'process'];

/** Knows whether the process lives, may get requests, and has started. */
@Injectable()
export class HealthService implements OnApplicationBootstrap, OnModuleDestroy {
  /** Name as a source of metrics. */
  readonly name = 'health';
  readonly #logger = new Logger('Health');
  readonly #runners = new Map<string, CheckRunner>();
  readonly #vitals: ProcessVitals;
  #running = false;
  #started = false;
  #draining = false;
  #fatal = false;

  /** @throws {HealthDuplicateCheckError} when two checks have one name */
  constructor(@Inject(HEALTH_OPTIONS) options: HealthOptions) {
    this.#vitals = new ProcessVitals(options);
    for (const check of options.checks) this.register(check);
  }

  /** True since `beginDrain`. */
  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Adds a check to readiness; it runs at once when the application has started, else at its start.
   *
   * @throws {HealthDuplicateCheckError} when the name is taken
   * @throws {HealthInvalidOptionsError} when the check's shape is wrong
   */
  register(check: HealthCheck): void {
    assertHealthCheck(check);
    if (PROCESS_CHECKS.includes(check.name) || this.#runners.has(check.name)) {
      throw new HealthDuplicateCheckError(check.name);
    }
    const runner = new CheckRunner(check, (...change) => this.#logChange(...change));
    this.#runners.set(check.name, runner);
    if (this.#running) runner.start();
  }

  /** Start-up is over: the startup probe answers 200 and readiness may. Idempotent. */
  markStarted(): void {
    this.#started = true;
  }

  /**
   * The process cannot go on: liveness and readiness answer 503 for good, so that the process is restarted.
   *
   * @param reason goes to the log only
   */
  markFatal(reason: string): void {
    if (!this.#fatal) this.#logger.error(`The process is beyond repair and asks to be restarted: ${reason}`);
    this.#fatal = true;
  }

  /** Readiness answers 503 from now on. Idempotent; there is no way back. */
  beginDrain(): void {
    this.#draining = true;
  }

  /** The process itself, never a dependency: event loop, heap, fatal state. */
  liveness(): HealthReport {
    return { status: this.#alive() ? 'up' : 'down', checks: this.#processChecks() };
  }

  /** Whether requests are welcome. Waits for checks whose result is too old, no longer than their timeouts. */
  async readiness(): Promise<HealthReport> {
    const entries = await Promise.all(
      [...this.#runners].map(
        async ([name, runner]) => [name, toReportCheck(await runner.current())] as const,
      ),
    );
    return { status: this.#readyStatus(), checks: Object.fromEntries(entries) };
  }

  /** Whether `markStarted` was called. */
  startup(): HealthReport {
    return { status: this.#started ? 'up' : 'starting', checks: {} };
  }

  /** Readiness and the process itself in one report; `down` also when the process is no longer alive. */
  async overall(): Promise<HealthReport> {
    const { status, checks } = await this.readiness();
    return { status: this.#alive() ? status : 'down', checks: { ...this.#processChecks(), ...checks } };
  }

  /** What is behind `readiness`, from the results at hand. For operators alone: reasons may name addresses. */
  details(): HealthDetail[] {
    return [...this.#runners.values()].map(({ check, last }) => ({
      name: check.name,
      criticality: check.criticality,
      status: last?.status ?? 'down',
      checkedMsAgo: ageMs(last?.atMs),
      durationMs: last ? Math.round(last.durationMs) : null,
      reason: last?.status === 'down' ? describe(last.error) : null,
    }));
  }

  /** Figures for the metrics endpoint, from the results at hand. */
  collect(): HealthMetricFamily[] {
    const status = this.#readyStatus();
    return healthMetrics({
      ready: status === 'up' || status === 'degraded',
      live: this.#alive(),
      draining: this.#draining,
      runners: this.#runners.values(),
      vitals: this.#vitals.last,
    });
  }

  /** Starts the background runs. Called by Nest. */
  onApplicationBootstrap(): void {
    this.#running = true;
    this.#vitals.start();
    for (const runner of this.#runners.values()) runner.start();
  }

  /** Ends the background runs before the pools close, so that no check reports their end. Called by Nest. */
  onModuleDestroy(): void {
    this.#running = false;
    this.#vitals.stop();
    for (const runner of this.#runners.values()) runner.stop();
  }

  #alive(): boolean {
    return !this.#fatal && !this.#vitals.loopStalled && !this.#vitals.heapExhausted;
  }

  #processChecks(): Record<string, HealthReportCheck> {
    const sampledAtMs = this.#vitals.last?.atMs;
    const check = (failed: boolean, checkedMsAgo: number | null): HealthReportCheck => ({
      status: failed ? 'down' : 'up',
      checkedMsAgo,
    });
    return {
      'event-loop': check(this.#vitals.loopStalled, ageMs(sampledAtMs)),
      heap: check(this.#vitals.heapExhausted, ageMs(sampledAtMs)),
      process: check(this.#fatal, 0),
    };
  }

  #readyStatus(): HealthStatus {
    if (this.#fatal) return 'down';
    if (this.#draining) return 'draining';
    if (!this.#started) return 'starting';
    let status: HealthStatus = 'up';
    for (const { check, last } of this.#runners.values()) {
      if (last?.status === 'up') continue;
      if (check.criticality === 'critical') return 'down';
      status = 'degraded';
    }
    return status;
  }

  #logChange(check: HealthCheck, result: CheckResult, previous: CheckResult | undefined): void {
    if (result.status === 'up') {
      if (previous !== undefined) this.#logger.log(`Health check "${check.name}" is up again`);
      return;
    }
    const { error } = result;
    const line = `Health check "${check.name}" is down: ${describe(error)}`;
    if (check.criticality === 'degraded') this.#logger.warn(line);
    else this.#logger.error(line, error instanceof Error ? error.stack : undefined);
  }
}

function toReportCheck(result: CheckResult): HealthReportCheck {
  return { status: result.status, checkedMsAgo: ageMs(result.atMs) };
}

function ageMs(atMs: number | undefined): number | null {
  return atMs === undefined ? null : Math.max(0, Math.round(performance.now() - atMs));
}

/** A refused connection is an AggregateError without a message: its code says more than its name. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
