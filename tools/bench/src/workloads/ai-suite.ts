import { type AiParts, chatRequestSchema } from '@peregrine/ai';
import { OpenAI } from 'openai';

import { seededRandom, zipfOrder } from '../harness/random.ts';
import { formatNumber, type Line, type SuiteResult } from '../harness/report.ts';
import { quantile } from '../harness/statistics.ts';
import type { BenchStores } from '../harness/stores.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { type AiCluster, CHAT_MODEL, startAiCluster } from './ai-members.ts';

/** A remote embedding model far away. */
const LATENCY_MS = 2_000;
const CALLERS = 200;
const EQUAL_CALLS = 20;
const PROCESSES = 3;
const REPLAYED_CHUNKS = 300;
const TENANT = 'bench';

interface LoadFigures {
  readonly requests: number;
  readonly seconds: number;
  /** Inputs that the provider was asked for. */
  readonly paid: number;
  /** Share of the requests after the warm-up that were not paid. */
  readonly hitRate: number;
}

/** AI results with the cache, beside calling the provider each time: embeddings, equal calls at once, and replays. */
export function runAiSuite(options: SuiteOptions, stores: BenchStores): Promise<SuiteResult> {
  return stores.withEmpty('postgres', (databaseUrl) =>
    stores.withEmpty('redis', async (redisUrl) =>
      measureAi(options, await startAiCluster(redisUrl, databaseUrl)),
    ),
  );
}

async function measureAi({ progress, isQuick }: SuiteOptions, cluster: AiCluster): Promise<SuiteResult> {
  try {
    const keys = isQuick ? 100 : 1_000;
    const requests = isQuick ? 2_000 : 20_000;
    const order = zipfOrder(keys, requests, seededRandom(11));
    const naive = await progress.step('embeddings, naive', () =>
      naiveLoad(cluster, order.subarray(0, requests / 10)),
    );
    const ours = await progress.step('embeddings, peregrine', () => cachedLoad(cluster, order));
    const equal = await progress.step('equal calls at once', () => equalCalls(cluster));
    const replay = await progress.step('replays', () => replays(cluster, isQuick ? 50 : 500));
    const duplicates = requests - new Set(order).size;
    const saved = (requests - ours.paid) / duplicates;
    return {
      title: 'AI results',
      notes: [
        `Embeddings of ${formatNumber(keys)} texts, asked for by ${CALLERS} callers at a time after Zipf (0.99), from a provider that takes`,
        `${LATENCY_MS / 1_000} s for each call; naive is the official client without a cache, on the first tenth of the same requests. The hit rate is`,
        `that of the second half. ${EQUAL_CALLS} equal chats at once go to ${PROCESSES} members with caches of their own on one Redis.`,
        `A replay is a chat of ${REPLAYED_CHUNKS} chunks from the cache to its last event, without HTTP.`,
      ],
      tables: [
        {
          caption: 'Embeddings:',
          columns: ['How', 'Requests', 'Paid', 'Seconds', 'Requests a second'],
          rows: [
            ['the provider each time', naive],
            ['peregrine', ours],
          ].map(([name, it]) => rowOf(name as string, it as LoadFigures)),
        },
        {
          caption: `${EQUAL_CALLS} equal chats at once:`,
          columns: ['How', 'Calls, whole', 'Calls, streamed'],
          rows: [
            ['the provider each time', String(equal.naive.whole), String(equal.naive.streamed)],
            ['peregrine', String(equal.whole), String(equal.streamed)],
          ],
        },
        {
          caption: `A reply of ${REPLAYED_CHUNKS} chunks again:`,
          columns: ['p50, ms', 'p95, ms', 'longest, ms'],
          rows: [[replay.p50, replay.p95, replay.max].map(formatNumber)],
        },
      ],
      lines: [
        line('Hit rate after the warm-up', 100 * ours.hitRate, 90, 'at least', '%'),
        line('Duplicate calls saved', 100 * saved, 50, 'at least', '%'),
        line(`${EQUAL_CALLS} equal calls at once, whole`, equal.whole, 1, 'at most', 'calls'),
        line(`${EQUAL_CALLS} equal calls at once, streamed`, equal.streamed, 1, 'at most', 'calls'),
        line(`A replay of ${REPLAYED_CHUNKS} chunks, p95`, replay.p95, 10, 'at most', 'ms'),
      ],
      samples: { naive, ours, equal, replay },
    };
  } finally {
    await cluster.stop();
  }
}

async function naiveLoad({ provider }: AiCluster, order: Uint32Array): Promise<LoadFigures> {
  const client = new OpenAI({ baseURL: provider.url, apiKey: 'none', maxRetries: 0 });
  return load({ provider }, order, async (input) => {
    await client.embeddings.create({ model: 'text-embedding-3-small', input, encoding_format: 'float' });
  });
}

async function cachedLoad(cluster: AiCluster, order: Uint32Array): Promise<LoadFigures> {
  const { embeddings } = cluster.member();
  return load(cluster, order, async (input) => {
    await embeddings.embed({ tenant: TENANT, inputs: [input] });
  });
}

/** Each caller asks for the next one when it has its answer. */
async function load(
  { provider }: Pick<AiCluster, 'provider'>,
  order: Uint32Array,
  embed: (input: string) => Promise<void>,
): Promise<LoadFigures> {
  provider.reset();
  provider.latencyMs = LATENCY_MS;
  const paid = () => provider.requests.reduce((sum, { body }) => sum + inputsOf(body), 0);
  let next = 0;
  let paidBefore = 0;
  const half = Math.floor(order.length / 2);
  const startedAt = performance.now();
  const caller = async () => {
    for (let index = next++; index < order.length; index = next++) {
      if (index === half) paidBefore = paid();
      await embed(`text number ${order[index]}`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  provider.latencyMs = 0;
  const seconds = (performance.now() - startedAt) / 1_000;
  const hitRate = 1 - (paid() - paidBefore) / (order.length - half);
  return { requests: order.length, seconds, paid: paid(), hitRate };
}

function inputsOf({ input }: Record<string, unknown>): number {
  return Array.isArray(input) ? input.length : 1;
}

interface EqualCalls {
  readonly whole: number;
  readonly streamed: number;
}

async function equalCalls(cluster: AiCluster): Promise<EqualCalls & { readonly naive: EqualCalls }> {
  const client = new OpenAI({ baseURL: cluster.provider.url, apiKey: 'none', maxRetries: 0 });
  const members = Array.from({ length: PROCESSES }, () => cluster.member());
  const callsOf = async (ask: (index: number) => Promise<void>) => {
    cluster.provider.reset();
    cluster.provider.latencyMs = 200;
    await Promise.all(Array.from({ length: EQUAL_CALLS }, (_, index) => ask(index)));
    cluster.provider.latencyMs = 0;
    return cluster.provider.calls.length;
  };
  const asked = (stream: boolean) => async (index: number) => {
    const { chat } = members[index % PROCESSES] as AiParts;
    const answer = await chat.open(chatOf(`equal, stream ${stream}`), { tenant: TENANT });
    if (stream) await drain(answer.events());
    else await answer.completion();
  };
  const messages = [{ role: 'user' as const, content: 'equal' }];
  const body = { model: CHAT_MODEL, temperature: 0, messages };
  const naive = {
    whole: await callsOf(async () => void (await client.chat.completions.create(body))),
    streamed: await callsOf(async () => {
      const stream = await client.chat.completions.create({ ...body, stream: true });
      for await (const chunk of stream) assertNotEmpty([chunk]);
    }),
  };
  return { whole: await callsOf(asked(false)), streamed: await callsOf(asked(true)), naive };
}

async function replays(cluster: AiCluster, runs: number) {
  cluster.provider.reset();
  cluster.provider.words = REPLAYED_CHUNKS;
  const { chat } = cluster.member();
  const request = chatOf('replay');
  await (await chat.open(request, { tenant: TENANT })).completion();
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    await drain((await chat.open(request, { tenant: TENANT })).events());
    times.push(performance.now() - startedAt);
  }
  const sorted = times.sort((left, right) => left - right);
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: sorted.at(-1) ?? Number.NaN };
}

async function drain(events: AsyncIterable<readonly string[]>): Promise<void> {
  for await (const lot of events) assertNotEmpty(lot);
}

/** What comes is looked at, as a caller would. */
function assertNotEmpty(items: readonly unknown[]): void {
  if (items.length === 0) throw new Error('Nothing came');
}

function chatOf(content: string) {
  return chatRequestSchema.parse({
    model: CHAT_MODEL,
    temperature: 0,
    messages: [{ role: 'user', content }],
  });
}

function rowOf(name: string, { requests, paid, seconds }: LoadFigures): string[] {
  return [name, ...[requests, paid, seconds, requests / seconds].map(formatNumber)];
}

function line(what: string, measured: number, limit: number, bound: Line['bound'], unit: string): Line {
  return { what, measured, limit, bound, unit };
}
