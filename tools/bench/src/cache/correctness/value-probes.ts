import { isDeepStrictEqual } from 'node:util';

import type { LoadingSubject, Subject } from '../libraries/contract.ts';
import { whenConnected } from '../redis/when-connected.ts';
import { attempt, bad, type Finding, good, none, type Probe, settle, TAGS } from './probe.ts';

interface Document {
  title: string;
  labels: string[];
}

const VALUES: Readonly<Record<string, unknown>> = {
  BigInt: { it: 12_345_678_901_234_567_890n },
  Map: { it: new Map([['a', 1]]) },
  Set: { it: new Set(['a']) },
  Date: { it: new Date(86_400_000) },
  Buffer: { it: Buffer.from('bytes') },
};

/** Whether a value comes out as it went in. */
export const VALUE_PROBES: readonly Probe[] = [
  {
    title: 'a reader changes the object it got',
    run: async (context) => readerMutates(await context.open()),
  },
  {
    title: 'the giver changes the object after it gave it',
    run: async (context) => giverMutates(await context.open()),
  },
  {
    title: 'BigInt, Map, Set, Date, Buffer through memory',
    run: async (context) => {
      const subject = await context.open();
      return roundTrips(subject, subject);
    },
  },
  {
    title: 'the same through Redis',
    run: async (context) => {
      if (!context.hasRedis) return none();
      const writer = await context.open({ redisUrl: context.redisUrl });
      const reader = await context.open({ redisUrl: context.redisUrl });
      await whenConnected(writer, context.redisUrl);
      await whenConnected(reader, context.redisUrl);
      return roundTrips(writer, reader);
    },
  },
];

const makeDocument = (): Document => ({ title: 'as loaded', labels: ['a'] });

/** @returns whether the change was refused, as a frozen object does it */
function change(document: Document): boolean {
  try {
    document.title = 'changed';
    document.labels.push('b');
    return false;
  } catch {
    return true;
  }
}

async function readerMutates(subject: LoadingSubject): Promise<Finding> {
  await subject.getOrSet('key', () => Promise.resolve(makeDocument()), TAGS);
  const read = (await subject.getOrSet('key', () => Promise.resolve(makeDocument()), TAGS)) as Document;
  const isRefused = change(read);
  const after = await subject.getOrSet('key', () => Promise.resolve(makeDocument()), TAGS);
  if (!isDeepStrictEqual(after, makeDocument())) return bad('changes the cache');
  return good(isRefused ? 'safe (frozen)' : 'safe (a copy)');
}

async function giverMutates(subject: LoadingSubject): Promise<Finding> {
  const given = makeDocument();
  await subject.set('key', given, TAGS);
  change(given);
  const after = await subject.getOrSet('key', () => Promise.resolve(makeDocument()), TAGS);
  return isDeepStrictEqual(after, makeDocument()) ? good('safe') : bad('changes the cache');
}

async function roundTrips(writer: Subject, reader: Subject): Promise<Finding> {
  const lost: string[] = [];
  for (const [name, value] of Object.entries(VALUES)) {
    const stored = await settle(attempt(() => writer.set(name, value, TAGS)));
    const read = await settle(attempt(() => reader.get(name)));
    if (stored.error !== undefined) lost.push(`${name} throws`);
    else if (!isDeepStrictEqual(read.value, value)) lost.push(name);
  }
  return lost.length === 0 ? good('all kept') : bad(`lost: ${lost.join(', ')}`);
}
