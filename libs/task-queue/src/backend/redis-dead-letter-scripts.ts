/**
 * A part of the failed tasks, the latest first; equals by id, highest first. Looks at a bounded number of them.
 *
 * The class is read from the head of the payload's envelope, without taking the payload along. Large payloads end the
 * part early, for Redis copies them to look at them.
 *
 * KEYS: failed
 * ARGV: prefix of the queue's keys, highest and lowest score, score and id that the part comes after (or empty), prefix
 * of the ids, part of the error (or empty), most rows, most tasks to look at, most bytes of payloads
 * Answers with the rows, and score and id of the last task that was looked at, when there are more.
 */
export const DEAD_LETTERS = `
local prefix, highest, lowest, afterScore, afterId = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local idPrefix, part, most, look = ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local bytes, mostBytes = 0, tonumber(ARGV[10])
local offset = 0
if afterScore ~= '' and afterScore == highest then
  for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], afterScore, afterScore)) do
    if id < afterId then break end
    offset = offset + 1
  end
end
local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], highest, lowest, 'WITHSCORES', 'LIMIT', offset, look)
local rows = {}
for index = 1, #found, 2 do
  local id, score = found[index], found[index + 1]
  if string.sub(id, 1, #idPrefix) == idPrefix then
    local job = redis.call('HMGET', prefix .. id, 'failedReason', 'atm', 'timestamp', 'data', 'redrives')
    local reason = job[1] or ''
    if job[4] and (part == '' or string.find(reason, part, 1, true)) then
      local head = string.sub(job[4], 1, 100)
      rows[#rows + 1] = { id, score, reason, job[2] or '0', job[3] or '0', head, job[5] or '0' }
    end
    bytes = bytes + #(job[4] or '')
    if #rows == most or bytes > mostBytes then return { rows, score, id } end
  end
end
if #found == 2 * look then return { rows, found[#found], found[#found - 1] } end
return { rows }
`;

/**
 * Puts failed tasks back to waiting, each by itself in one atomic step. A dedupe key is taken again; one that another
 * task holds keeps its task dead.
 *
 * What BullMQ and we note about an attempt goes, also why the task was put off, which would count from then. The number
 * of claims stays, for \`fence\` must rise, and what its isolation holds against it, but for lost claims, which BullMQ
 * counts anew.
 *
 * KEYS: failed, prioritized, priority counter, marker, meta
 * ARGV: prefix of the queue's keys, ends of earlier lives to keep, classes and their numbers by turns, 0, job ids
 */
export const REDRIVE = `
local numbers = {}
local index = 3
while ARGV[index] ~= '0' do
  numbers[ARGV[index]] = tonumber(ARGV[index + 1])
  index = index + 2
end

local function takeDedupeKey(id, job, deid, opts)
  if not deid then return true end
  local key = ARGV[1] .. 'de:' .. deid
  local holder = redis.call('GET', key)
  if holder == id then return true end
  local isStale = holder and redis.call('PTTL', key) == -1 and redis.call('EXISTS', ARGV[1] .. holder) == 0
  if holder and not isStale then return false end
  local dedupe = cjson.decode(opts)['de'] or {}
  if dedupe['ttl'] then redis.call('SET', key, id, 'PX', dedupe['ttl']) else redis.call('SET', key, id) end
  return true
end

local function withFailure(failures, reason, finishedOn, attempts)
  local all = failures and cjson.decode(failures) or {}
  all[#all + 1] = {
    error = reason or '', failedAtMs = tonumber(finishedOn) or 0, attempts = tonumber(attempts) or 0
  }
  while #all > tonumber(ARGV[2]) do table.remove(all, 1) end
  return cjson.encode(all)
end

-- Inside of the payload, which is a string, every quotation mark is escaped: these are members of the envelope.
-- Patterns are slow on large texts, so they are for those few that have such a member.
local function afresh(data)
  if string.find(data, ',"putOff":{', 1, true) then data = string.gsub(data, ',"putOff":{[^{}]*}', '') end
  if string.find(data, '"isolation":{', 1, true) then
    data = string.gsub(data, '("isolation":{[^{}]-"stalls":)%d+', '%10')
  end
  return data
end

local function redrive(id)
  local job = ARGV[1] .. id
  if not redis.call('ZSCORE', KEYS[1], id) then
    return redis.call('EXISTS', job) == 1 and 'not-dead' or 'not-found'
  end
  local fields = redis.call('HMGET', job, 'data', 'opts', 'deid', 'failures', 'failedReason', 'finishedOn', 'atm')
  if not fields[1] then return 'not-found' end
  if not takeDedupeKey(id, job, fields[3], fields[2]) then return 'duplicate' end
  local class = string.match(string.sub(fields[1], 1, 100), '"priority":"(%u+)"')
  local number = numbers[class] or numbers['NORMAL']
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', job, 'failedReason', 'stacktrace', 'finishedOn', 'processedOn', 'returnvalue', 'progress', 'atm',
    'stc', 'defa', 'cancel')
  redis.call('HINCRBY', job, 'redrives', 1)
  local data = afresh(fields[1])
  if data ~= fields[1] then redis.call('HSET', job, 'data', data) end
  redis.call('HSET', job, 'priority', number, 'delay', 0,
    'failures', withFailure(fields[4], fields[5], fields[6], fields[7]))
  local counter = redis.call('INCR', KEYS[3])
  redis.call('ZADD', KEYS[2], number * 4294967296 + counter % 4294967296, id)
  return 'redriven'
end

local outcomes = {}
local isAny = false
for at = index + 1, #ARGV do
  local outcome = redrive(ARGV[at])
  isAny = isAny or outcome == 'redriven'
  outcomes[#outcomes + 1] = outcome
end
if isAny and redis.call('HEXISTS', KEYS[5], 'paused') == 0 then redis.call('ZADD', KEYS[4], 0, '0') end
return outcomes
`;

/**
 * Removes failed tasks with all that belongs to them.
 *
 * KEYS: failed. ARGV: prefix of the queue's keys, job ids
 */
export const PURGE = `
local outcomes = {}
for index = 2, #ARGV do
  local id = ARGV[index]
  local job = ARGV[1] .. id
  if redis.call('ZREM', KEYS[1], id) == 1 then
    local dedupe = redis.call('HGET', job, 'deid')
    if dedupe and redis.call('GET', ARGV[1] .. 'de:' .. dedupe) == id then
      redis.call('DEL', ARGV[1] .. 'de:' .. dedupe)
    end
    redis.call('DEL', job, job .. ':logs', job .. ':lock')
    outcomes[#outcomes + 1] = 'purged'
  else
    outcomes[#outcomes + 1] = redis.call('EXISTS', job) == 1 and 'not-dead' or 'not-found'
  end
end
return outcomes
`;

/** KEYS: failed. ARGV: prefix of the queue's keys, job ids */
export const DEAD_LETTER_STATES = `
local states = {}
for index = 2, #ARGV do
  local id = ARGV[index]
  if redis.call('ZSCORE', KEYS[1], id) then states[#states + 1] = 'dead'
  elseif redis.call('EXISTS', ARGV[1] .. id) == 1 then states[#states + 1] = 'not-dead'
  else states[#states + 1] = 'not-found' end
end
return states
`;
