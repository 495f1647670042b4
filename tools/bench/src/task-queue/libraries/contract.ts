/** The same payload for all. */
export interface Payload {
  readonly number: number;
  readonly text: string;
}

/** A hundred bytes and a few. */
export const payloadOf = (number: number): Payload => ({ number, text: 'x'.repeat(100) });

/** Most urgent first. */
export const CLASSES = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW', 'BATCH'] as const;
export type PriorityClass = (typeof CLASSES)[number];

export interface WorkOptions {
  /** Handler calls at once. */
  readonly concurrency: number;
  readonly handler: (payload: Payload) => Promise<void>;
}

/** A job queue as the benchmark drives it, connected to an empty store. */
export interface Subject {
  /** One job, durable as the store is when it resolves. */
  submit(payload: Payload): Promise<unknown>;
  /** Many at once, by the library's own verb for that. */
  submitMany(payloads: readonly Payload[]): Promise<unknown>;
  /** Begins to process, in this process. */
  work(options: WorkOptions): Promise<void>;
  /** Calls the handler with up to `size` jobs, each of which ends by itself. */
  workBatches?(size: number, handler: (payloads: readonly Payload[]) => Promise<void>): Promise<void>;
  /** Jobs by state. */
  counts?(): Promise<unknown>;
  submitOfClass?(payload: Payload, priority: PriorityClass): Promise<unknown>;
  close(): Promise<void>;
}
