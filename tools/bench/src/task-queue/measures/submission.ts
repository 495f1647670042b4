import { type Payload, payloadOf, type Subject } from '../libraries/contract.ts';

export interface SubmissionSample {
  /** One after the other, jobs a second. */
  readonly single: number;
  /** 64 callers at a time. */
  readonly concurrent: number;
  /** By the verb for many, a thousand a call. */
  readonly bulk: number;
  /** CPU of this process for one of the bulk, microseconds. */
  readonly bulkCpu: number;
}

const CALLERS = 64;
const PER_CALL = 1_000;

/** @param amount jobs one after the other; ten times as many in bulk */
export async function measureSubmission(subject: Subject, amount: number): Promise<SubmissionSample> {
  const payloads = Array.from({ length: PER_CALL }, (_, number) => payloadOf(number));
  // The first calls compile code and plan statements.
  await oneByOne(subject, payloads.slice(0, 200));
  await subject.submitMany(payloads);
  const single = await rate(amount, () =>
    oneByOne(
      subject,
      Array.from({ length: amount }, (_, i) => payloadOf(i)),
    ),
  );
  const concurrent = await rate(2 * amount, () => concurrently(subject, 2 * amount));
  const calls = Math.ceil((10 * amount) / PER_CALL);
  const before = process.cpuUsage();
  const bulk = await rate(calls * PER_CALL, async () => {
    for (let i = 0; i < calls; i++) await subject.submitMany(payloads);
  });
  const { user, system } = process.cpuUsage(before);
  return { single, concurrent, bulk, bulkCpu: (user + system) / (calls * PER_CALL) };
}

async function oneByOne(subject: Subject, payloads: readonly Payload[]): Promise<void> {
  for (const payload of payloads) await subject.submit(payload);
}

async function concurrently(subject: Subject, amount: number): Promise<void> {
  let next = 0;
  const caller = async () => {
    for (let i = next++; i < amount; i = next++) await subject.submit(payloadOf(i));
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function rate(amount: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (1_000 * amount) / (performance.now() - startedAt);
}
