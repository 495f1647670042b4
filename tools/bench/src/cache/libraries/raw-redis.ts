import { Redis } from 'ioredis';
import { pack, unpack } from 'msgpackr';

import { type OpenOptions, type Subject, TTL_MS } from './contract.ts';

/** The least a cache on Redis has to do: one command and the decoding of its answer. No memory tier. */
export function openRawRedis({ redisUrl }: OpenOptions, codec: 'json' | 'msgpack'): Subject {
  const redis = new Redis(redisUrl ?? '');
  redis.on('error', () => undefined);
  return { ...(codec === 'json' ? jsonVerbs(redis) : msgpackVerbs(redis)), close: () => redis.quit() };
}

function jsonVerbs(redis: Redis): Subject {
  const decode = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text));
  return {
    get: async (key) => decode(await redis.get(key)),
    set: (key, value) => redis.set(key, JSON.stringify(value), 'PX', TTL_MS),
    getOrSet: async (key) => decode(await redis.get(key)),
    getMany: async (keys) => (await redis.mget(keys)).map(decode),
  };
}

function msgpackVerbs(redis: Redis): Subject {
  const decode = (bytes: Buffer | null): unknown => (bytes === null ? undefined : unpack(bytes));
  return {
    get: async (key) => decode(await redis.getBuffer(key)),
    set: (key, value) => redis.set(key, pack(value), 'PX', TTL_MS),
    getOrSet: async (key) => decode(await redis.getBuffer(key)),
    getMany: async (keys) => (await redis.mgetBuffer(keys)).map(decode),
  };
}
