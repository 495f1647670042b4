// What they do is told in token-bucket.ts. Lua writes numbers with 14 digits by itself, too few for microseconds.

/**
 * KEYS: bucket. ARGV: cost, rate a second, burst, slot or 0, longest wait in us.
 * Answers granted, now, slot, remaining.
 */
export const TAKE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local cost, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held, longest = tonumber(ARGV[4]), tonumber(ARGV[5])
local stored = redis.call('HMGET', KEYS[1], 'at', 'taken', 'returning', 'promised')
local last = tonumber(stored[1] or now)
local at = math.max(now, last)
local flow = (at - last) * rate / 1000000
local taken = math.max(0, tonumber(stored[2] or 0) - flow)
local returning = math.max(0, tonumber(stored[3] or 0) - flow)
local promised = math.max(0, tonumber(stored[4] or 0) - flow)
local back = held > 0

local function answer(granted, slot)
  local remaining = 0
  if at <= now then remaining = math.max(0, math.floor(burst - promised)) end
  return { granted, now, slot, remaining }
end

if held > now then return answer(0, held) end
local granted, slot = 1, now
if at <= now and (back and taken or promised) + cost - burst <= 0.000001 then
  taken = taken + cost
  if back then
    returning = math.max(returning, taken)
    promised = math.max(promised, returning)
  else
    returning, promised = returning + cost, promised + cost
  end
else
  local behind = back and returning or promised
  granted, slot = 0, at + math.ceil(math.max(0, behind + cost - burst) * 1000000 / rate)
  if slot - now > longest then return answer(0, slot) end
  if back then
    returning = returning + cost
    promised = math.max(promised, returning)
  else
    promised = promised + cost
  end
end
local text = function(tokens) return string.format('%.17g', tokens) end
redis.call('HSET', KEYS[1], 'at', string.format('%.0f', at),
  'taken', text(taken), 'returning', text(returning), 'promised', text(promised))
local ttl = math.ceil((at - now) / 1000 + promised * 1000 / rate)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(1, ttl)))
return answer(granted, slot)
`;

/** KEYS: bucket. ARGV: cost. */
export const GIVE_BACK = `
local stored = redis.call('HMGET', KEYS[1], 'returning', 'promised')
if stored[1] then
  local promised = math.max(tonumber(stored[1]), tonumber(stored[2]) - tonumber(ARGV[1]))
  redis.call('HSET', KEYS[1], 'promised', string.format('%.17g', promised))
end
return 0
`;

/** KEYS: bucket. ARGV: pause in us. */
export const PAUSE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local stored = redis.call('HMGET', KEYS[1], 'at', 'taken')
local last = tonumber(stored[1] or now)
local taken = stored[2] or '0'
local drain = math.max(0, redis.call('PTTL', KEYS[1]) - math.max(0, last - now) / 1000)
local at = math.max(last, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'at', string.format('%.0f', at), 'taken', taken,
  'returning', taken, 'promised', taken)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((at - now) / 1000 + drain)))
return 0
`;
