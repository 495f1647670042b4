/** What a person can put right: the benchmark prints the message alone and ends with exit code 1. */
export abstract class BenchError extends Error {
  abstract readonly code: `BENCH_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** An option is unknown or wrong. */
export class BenchUsageError extends BenchError {
  readonly code = 'BENCH_USAGE';
}

/** The library could not be built; the message is the compiler's output. */
export class BenchBuildError extends BenchError {
  readonly code = 'BENCH_BUILD';
}

/** No Redis program is installed, or it did not start. */
export class BenchRedisError extends BenchError {
  readonly code = 'BENCH_REDIS';
}

/** No PostgreSQL of the system with HypoPG is installed, or it did not start. */
export class BenchPostgresError extends BenchError {
  readonly code = 'BENCH_POSTGRES';
}

/** A measuring process ended without a result; the message holds what it said last. */
export class BenchWorkerError extends BenchError {
  readonly code = 'BENCH_WORKER';
}

/** What was measured is not what the table says: a loader ran during hits, or the order of values is wrong. */
export class BenchInvalidMeasurementError extends BenchError {
  readonly code = 'BENCH_INVALID_MEASUREMENT';
}
