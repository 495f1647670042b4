/** Pieces that the scripts of redis-scripts.ts are put together from. */

/** Words by which a script refuses a caller who believes in another session. */
export const SESSION_OVER = 'SESSIONOVER';

/** A session that nobody has written to for so long is over. */
export const SESSION_MS = 90 * 86_400_000;
/** A lease that has run out is remembered by its token: its holder may still store, unless another has taken it. */
export const LEASE_MEMORY_MS = 600_000;

/** Refuses a caller who believes in another session, and begins all names. */
export const PRELUDE = `
local session = ARGV[1]
if redis.call('GET', KEYS[1]) ~= session then return redis.error_reply('${SESSION_OVER} the session is over') end
local base = string.sub(KEYS[1], 1, -8) .. session .. ':'`;

/** `now`: milliseconds since 1970. */
export const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** `unpack` has a limit, so lists are read in parts. */
export const TOKENS = `
local function tokens(names)
  if #names <= 1000 then return redis.call('MGET', unpack(names)) end
  local all = {}
  for from = 1, #names, 1000 do
    local part = redis.call('MGET', unpack(names, from, math.min(from + 999, #names)))
    for i = 1, #part do all[from + i - 1] = part[i] end
  end
  return all
end`;

/** Lets a key live at least `ms` more. */
export const EXTEND = `
local function extend(key, ms)
  if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end`;

/** The generations of scopes, and new ones where there are none; they live at least `ms`. */
export const NOTE = `
local function note(scopes, token, ms)
  local names = {}
  for i = 1, #scopes do names[i] = base .. scopes[i] end
  local noted = #names > 0 and tokens(names) or {}
  for i = 1, #names do
    if not noted[i] then
      noted[i] = token
      redis.call('SET', names[i], token, 'PX', ms)
    else
      extend(names[i], ms)
    end
  end
  return noted
end`;

/** Whether the generations that a record names still hold. */
export const CURRENT = `
local verdicts = {}
local function current(record)
  if #record < 20 then return false end
  local packed = string.sub(record, 21, 20 + struct.unpack('>I4', record, 17))
  if verdicts[packed] == nil then
    local readable, flat = pcall(cmsgpack.unpack, packed)
    if not readable or type(flat) ~= 'table' then return false end
    local names, same = {}, true
    for i = 1, #flat, 2 do names[#names + 1] = base .. flat[i] end
    local found = #names > 0 and tokens(names) or {}
    for i = 1, #names do same = same and found[i] == flat[2 * i] end
    verdicts[packed] = same
  end
  return verdicts[packed]
end`;

/**
 * Grants a lease, or 0 when another one lives. One that was granted under other generations has been overtaken: what its
 * holder loads will be refused, so nobody need wait for it.
 */
export const GRANT = `
local function grant(key, token, ms, generations)
  local last = redis.call('HMGET', key, 'u', 'g')
  if last[1] and tonumber(last[1]) > now and last[2] == generations then return 0 end
  local name = string.sub(KEYS[1], 1, -8) .. 'fence'
  local fence = math.max(time[1] * 1000000 + time[2], (tonumber(redis.call('GET', name)) or 0) + 1)
  redis.call('SET', name, string.format('%.0f', fence))
  redis.call('HSET', key, 't', token, 'u', now + ms, 'g', generations)
  redis.call('PEXPIRE', key, ms + ${LEASE_MEMORY_MS})
  return fence
end`;

/** Puts in the record of an entry: its times, the generations, the envelope (record.ts). */
export const KEEP = `
redis.call('SADD', base .. 'versions', ARGV[2])
redis.call('PEXPIRE', base .. 'versions', ${SESSION_MS})
local function keep(key, packed, envelope, hard, fresh)
  local head = struct.pack('>ddI4', now + hard, now + fresh, #packed) .. packed
  if #envelope > 65536 then
    redis.call('SET', key, head, 'PX', hard)
    redis.call('APPEND', key, envelope)
  else
    redis.call('SET', key, head .. envelope, 'PX', hard)
  end
end`;

/** Removes generations, and the records of entries; 0, or an error. */
export const REMOVE = `
local function remove(scopes)
  local versions, names, known = redis.call('SMEMBERS', base .. 'versions'), {}, false
  for i = 1, #versions do known = known or versions[i] == '' end
  if not known then
    redis.call('UNLINK', KEYS[1])
    return redis.error_reply('${SESSION_OVER} the versions are lost')
  end
  for i = 1, #scopes do
    names[#names + 1] = base .. scopes[i]
    if string.sub(scopes[i], 1, 2) == 'k:' then
      local address = string.sub(scopes[i], 2)
      for j = 1, #versions do
        if versions[j] ~= '' then
          names[#names + 1] = base .. 'v' .. versions[j] .. address
          end
      end
    end
  end
  local done = 0
  for from = 1, #names, 1000 do
    local to = math.min(from + 999, #names)
    local part = redis.pcall('UNLINK', unpack(names, from, to))
    if type(part) ~= 'number' then
      for i = from, to do
        local one = redis.pcall('UNLINK', names[i])
        if type(one) ~= 'number' then done = one end
      end
    end
  end
  return done
end`;
