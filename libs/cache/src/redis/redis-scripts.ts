import { createHash } from 'node:crypto';
import {
  CLOCK,
  CURRENT,
  EXTEND,
  GRANT,
  KEEP,
  LEASE_MEMORY_MS,
  NOTE,
  PRELUDE,
  REMOVE,
  SESSION_MS,
  TOKENS,
} from './lua-fragments.js';

/**
 * The data of one bucket in Redis, all in one slot. `{<prefix>:<bucket>}:` goes before everything:
 *   session                                 string, names the state that is valid now, see OPEN
 *   fence                                   string, the last fence that was given out
 *   <session>:k:<namespace>:<key>           string, generation of an entry ("scope" as in coherence/scopes.ts)
 *   <session>:f, n:<…>, t:<…>               string, generation of everything, a namespace, a tag
 *   <session>:v<version>:<namespace>:<key>  string, record of an entry (record.ts), as a version of the program writes it
 *   <session>:l<version>:<namespace>:<key>  hash { t: token of the lease, u: its end, g: generations } while one loads it
 *   <session>:versions                      set of the versions of records that there are, and ''
 * All times are milliseconds of the clock of this Redis.
 *
 * A generation is a token that is never used twice. A record names the generations of what it depends on, and holds while they
 * are the same. Invalidating deletes the generation, and for an entry its records; the next who loads puts in a new one. A
 * missing generation equals nothing, so eviction, expiry or a lost write of Redis can make a valid entry a miss, but never an
 * invalid one a hit. Without the set of versions, whose '' is there from the start, the session is over.
 *
 * Reading is one MGET of the session, the records and the generations, compared by the reader. The scripts do the rest. Each
 * takes the name of the session key as its only declared key, and the session it believes in as its first argument; all
 * other keys are in the same slot. While a slot is being moved, a script that meets a key that has left is aborted by Redis.
 */
export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

const script = (source: string): RedisScript => ({
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});

/**
 * KEYS: session key. ARGV: identity of this server, new token. Answers the session. It was made by this very server in
 * this very role, or it is made anew: what a predecessor left behind (restored, replicated, migrated) may lack
 * invalidations, and its names are never used again.
 */
const OPEN = script(`
local session = redis.call('GET', KEYS[1])
if session and string.sub(session, 1, #ARGV[1]) == ARGV[1] then return session end
session = ARGV[1] .. '.' .. ARGV[2]
redis.call('SET', KEYS[1], session)
local versions = string.sub(KEYS[1], 1, -8) .. session .. ':versions'
redis.call('SADD', versions, '')
redis.call('PEXPIRE', versions, ${SESSION_MS})
return session`);

/**
 * ARGV: session, version, address, new token, load window in ms, refresh in ms ('' to take no record), lease in ms ('' for
 * none), MessagePack of the scopes that the coming load depends on ('' for a plain read). Answers { state, record, now, fence,
 * generation of the entry, generation of each scope }: state is 1 for a hit, fence is 0 when another holds the lease and -1
 * when none was asked for. A hit is noted too when its fresh life ends within `refresh` ms.
 */
const READ = script(`${PRELUDE}${CLOCK}${TOKENS}${EXTEND}${NOTE}${CURRENT}${GRANT}
local version, address = ARGV[2], ':' .. ARGV[3]
local reply = { 0, false, now }
local record = ARGV[6] ~= '' and redis.call('GET', base .. 'v' .. version .. address)
if record and current(record) then
  reply = { 1, record, now }
  if struct.unpack('>d', record, 9) - now > tonumber(ARGV[6]) then return reply end
end
if ARGV[8] == '' then return reply end
local scopes = cmsgpack.unpack(ARGV[8])
table.insert(scopes, 1, 'k' .. address)
local noted = note(scopes, ARGV[4], ARGV[5])
reply[4] = -1
if ARGV[7] ~= '' then
  local generations = table.concat(scopes, ' ') .. ' ' .. table.concat(noted, ' ')
  reply[4] = grant(base .. 'l' .. version .. address, ARGV[4], tonumber(ARGV[7]), generations)
end
for i = 1, #scopes do reply[4 + i] = noted[i] end
return reply`);

/**
 * ARGV: session, version, new token, load window in ms, MessagePack { lists of scopes, [address, number of its list, …] }
 * (0: a plain read). Answers { now, [generation, …] of each list, [record or empty, generation or empty, …] of each entry:
 * a record is a hit; the generation is empty for a plain read and for a fresh hit }.
 */
const READ_MANY = script(`${PRELUDE}${CLOCK}${TOKENS}${EXTEND}${NOTE}${CURRENT}
local version, token, window = ARGV[2], ARGV[3], ARGV[4]
local request = cmsgpack.unpack(ARGV[5])
local lists, entries, noted, states = request[1], request[2], {}, {}
for i = 1, #lists do noted[i] = false end
for i = 1, #entries, 2 do
  local address, list = ':' .. entries[i], entries[i + 1]
  local record = redis.call('GET', base .. 'v' .. version .. address)
  if record and current(record) then
    states[i] = record
    if struct.unpack('>d', record, 9) > now then list = 0 end
  else
    states[i] = ''
  end
  states[i + 1] = ''
  if list > 0 then
    if not noted[list] then noted[list] = note(lists[list], token, window) end
    states[i + 1] = note({ 'k' .. address }, token, window)[1]
  end
end
return { now, noted, states }`);

/**
 * Stores what loads brought, each if no generation moved since and its lease was not lost. ARGV: session, version,
 * MessagePack { [life of the generations, scope, generation, …] per list, [address, number of its list, hard ms, fresh ms,
 * generation, token of its lease or '', …] }, envelopes. Answers 1 or 0 for each.
 */
const WRITE = script(`${PRELUDE}${CLOCK}${TOKENS}${EXTEND}${KEEP}
local version = ARGV[2]
local request = cmsgpack.unpack(ARGV[3])
local lists, entries, packs, answer = request[1], request[2], {}, {}
for i = 1, #lists do
  local list, names, flat = lists[i], {}, {}
  for j = 2, #list, 2 do
    names[#names + 1] = base .. list[j]
    flat[#flat + 1], flat[#flat + 2] = list[j], list[j + 1]
  end
  local found, same = #names > 0 and tokens(names) or {}, true
  for j = 1, #names do same = same and found[j] == list[1 + 2 * j] end
  if same then
    for j = 1, #names do extend(names[j], list[1]) end
    packs[i] = cmsgpack.pack(flat)
  end
end
for i = 1, #entries, 6 do
  local address, packed, own, lease = ':' .. entries[i], packs[entries[i + 1]], entries[i + 4], entries[i + 5]
  local leases, done = base .. 'l' .. version .. address, 0
  local holds = lease == '' or redis.call('HGET', leases, 't') == lease
  if holds and packed and redis.call('GET', base .. 'k' .. address) == own then
    extend(base .. 'k' .. address, lists[entries[i + 1]][1])
    keep(base .. 'v' .. version .. address, packed, ARGV[4 + (i - 1) / 6], entries[i + 2], entries[i + 3])
    done = 1
  end
  if done == 1 or (holds and lease ~= '') then redis.call('UNLINK', leases) end
  answer[#answer + 1] = done
end
return answer`);

/**
 * Stores what callers set, each under a new generation of the entry. ARGV: session, version, new token, MessagePack
 * { [life of the generations, scope, …] per list, [address, number of its list, hard ms, fresh ms, …] }, envelopes.
 */
const SET = script(`${PRELUDE}${CLOCK}${TOKENS}${EXTEND}${NOTE}${KEEP}${REMOVE}
local version, token = ARGV[2], ARGV[3]
local request = cmsgpack.unpack(ARGV[4])
local lists, entries, packs, replaced = request[1], request[2], {}, {}
for i = 1, #entries, 4 do replaced[#replaced + 1] = 'k:' .. entries[i] end
local removed = remove(replaced)
if removed ~= 0 then return removed end
for i = 1, #lists do
  local list, scopes, flat = lists[i], {}, {}
  for j = 2, #list do scopes[j - 1] = list[j] end
  local noted = note(scopes, token, list[1])
  for j = 1, #scopes do flat[2 * j - 1], flat[2 * j] = scopes[j], noted[j] end
  packs[i] = cmsgpack.pack(flat)
end
for i = 1, #entries, 4 do
  local address, list = ':' .. entries[i], entries[i + 1]
  redis.call('SET', base .. 'k' .. address, token, 'PX', lists[list][1])
  keep(base .. 'v' .. version .. address, packs[list], ARGV[5 + (i - 1) / 4], entries[i + 2], entries[i + 3])
end
return 1`);

/**
 * ARGV: session, scopes to invalidate, 1,000 at most. When one has left with a moving slot, the others are invalidated all the
 * same and the call fails: what has left can not be read here either.
 */
const INVALIDATE = script(`${PRELUDE}${REMOVE}
local scopes = {}
for i = 2, #ARGV do scopes[i - 1] = ARGV[i] end
return remove(scopes)`);

/**
 * ARGV: session, version, address, ms, token of the lease or '', [scope, generation, …]. Keeps the generations alive for a value
 * that lives elsewhere, and ends the lease; answers 1, or 0 when one moved or the lease was lost.
 */
const HOLD = script(`${PRELUDE}${TOKENS}${EXTEND}
local leases, ms, names = base .. 'l' .. ARGV[2] .. ':' .. ARGV[3], tonumber(ARGV[4]), {}
if ARGV[5] ~= '' and redis.call('HGET', leases, 't') ~= ARGV[5] then return 0 end
for i = 6, #ARGV, 2 do names[#names + 1] = base .. ARGV[i] end
local found = tokens(names)
for i = 1, #names do
  if found[i] ~= ARGV[5 + 2 * i] then return 0 end
end
for i = 1, #names do extend(names[i], ms) end
redis.call('UNLINK', leases)
return 1`);

/** ARGV: session, version, address, token, ms. Answers 1, or 0 when the lease is another's. */
const RENEW = script(`${PRELUDE}${CLOCK}
local key, ms = base .. 'l' .. ARGV[2] .. ':' .. ARGV[3], tonumber(ARGV[5])
if redis.call('HGET', key, 't') ~= ARGV[4] then return 0 end
redis.call('HSET', key, 'u', now + ms)
redis.call('PEXPIRE', key, ms + ${LEASE_MEMORY_MS})
return 1`);

/** ARGV: session, version, address, token. */
const RELEASE = script(`${PRELUDE}
local key = base .. 'l' .. ARGV[2] .. ':' .. ARGV[3]
if redis.call('HGET', key, 't') ~= ARGV[4] then return 0 end
return redis.call('UNLINK', key)`);

/** By what they do; all are loaded on every connection before it is used. */
export const SCRIPTS = { OPEN, READ, READ_MANY, WRITE, SET, INVALIDATE, HOLD, RENEW, RELEASE } as const;
