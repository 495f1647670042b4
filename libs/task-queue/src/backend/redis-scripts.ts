/**
 * Ends a queued task as cancelled, as if it had completed with this result; marks a running one. Each task by itself
 * is one atomic step.
 *
 * KEYS: prioritized, delayed, wait, completed, failed
 * ARGV: prefix of the queue's keys, now in ms, result as JSON, reason, job ids
 */
export const CANCEL = `
local outcomes = {}
for index = 5, #ARGV do
  local id = ARGV[index]
  local job = ARGV[1] .. id
  if redis.call('EXISTS', job) == 0 then
    outcomes[#outcomes + 1] = 'not-found'
  elseif redis.call('ZREM', KEYS[1], id) == 1 or redis.call('ZREM', KEYS[2], id) == 1
      or redis.call('LREM', KEYS[3], 1, id) == 1 then
    redis.call('HSET', job, 'finishedOn', ARGV[2], 'returnvalue', ARGV[3])
    redis.call('ZADD', KEYS[4], ARGV[2], id)
    local dedupe = redis.call('HGET', job, 'deid')
    if dedupe and redis.call('GET', ARGV[1] .. 'de:' .. dedupe) == id then
      redis.call('DEL', ARGV[1] .. 'de:' .. dedupe)
    end
    outcomes[#outcomes + 1] = 'cancelled'
  elseif redis.call('ZSCORE', KEYS[4], id) or redis.call('ZSCORE', KEYS[5], id) then
    outcomes[#outcomes + 1] = 'ended'
  else
    redis.call('HSET', job, 'cancel', ARGV[4])
    outcomes[#outcomes + 1] = 'cancelling'
  end
end
return outcomes
`;

/**
 * Where a task stands. BullMQ orders delayed tasks by when they are due, times 4,096.
 *
 * KEYS: prioritized, job, job's lock, delayed. ARGV: job id.
 */
export const PLACEMENT = `
if redis.call('EXISTS', KEYS[2]) == 0 then return nil end
return {
  redis.call('ZRANK', KEYS[1], ARGV[1]) or 0,
  redis.call('EXISTS', KEYS[3]),
  redis.call('HEXISTS', KEYS[2], 'cancel'),
  math.floor(tonumber(redis.call('ZSCORE', KEYS[4], ARGV[1]) or 0) / 4096)
}
`;

/**
 * Takes the shift off priorities that are too high, and bounds what is still too high. A score is the priority times
 * 2^32 plus a counter, which keeps the order of arrival.
 *
 * KEYS: prioritized. ARGV: prefix of the queue's keys, highest priority, shift, largest number of tasks.
 */
export const REBASE = `
local step = 4294967296
local highest, shift = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('ZRANGEBYSCORE', KEYS[1], (highest + 1) * step, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4])
for index = 1, #found, 2 do
  local score = tonumber(found[index + 1])
  local priority = math.floor(score / step)
  local moved = highest
  if priority > shift then moved = math.min(priority - shift, highest) end
  redis.call('ZADD', KEYS[1], moved * step + score % step, found[index])
  redis.call('HSET', ARGV[1] .. found[index], 'priority', moved)
end
return #found / 2
`;

/**
 * Puts what BullMQ moved to the list without priorities, because its worker died, back to its own priority, at the
 * front of its equals. What BullMQ has given up, because its workers died too often, fails at once, unless its
 * cancellation was asked for meanwhile. What has lost its data, which no command of ours does, goes. Every task has a
 * priority, so nothing else is in that list.
 *
 * KEYS: wait, prioritized, failed. ARGV: prefix of the queue's keys, now in ms, what a task fails with
 */
export const LEVEL_STALLED = `
local function fail(id, job, stalls, worker, dedupe)
  local reason = string.gsub(ARGV[3], '{(%a+)}', { stalls = stalls or '0', worker = worker or 'of unknown name' })
  redis.call('HDEL', job, 'defa')
  redis.call('HINCRBY', job, 'atm', 1)
  redis.call('HSET', job, 'failedReason', reason, 'finishedOn', ARGV[2])
  redis.call('ZADD', KEYS[3], ARGV[2], id)
  local key = dedupe and ARGV[1] .. 'de:' .. dedupe
  if key and redis.call('PTTL', key) == -1 and redis.call('GET', key) == id then redis.call('DEL', key) end
end

local failed = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local key = ARGV[1] .. id
  local job = redis.call('HMGET', key, 'priority', 'defa', 'cancel', 'stc', 'pb', 'deid', 'name')
  local priority = tonumber(job[1]) or 0
  if not job[7] then
    redis.call('LREM', KEYS[1], 1, id)
    redis.call('DEL', key)
  elseif job[2] and not job[3] then
    redis.call('LREM', KEYS[1], 1, id)
    fail(id, key, job[4], job[5], job[6])
    failed[#failed + 1] = id
  elseif priority > 0 then
    redis.call('HDEL', key, 'defa')
    redis.call('LREM', KEYS[1], 1, id)
    redis.call('ZADD', KEYS[2], priority * 4294967296, id)
  end
end
return failed
`;

/** KEYS: schedules. ARGV: name, expected text, next text; empty text stands for none. */
export const SWAP_SCHEDULE = `
local current = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if current ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
`;
