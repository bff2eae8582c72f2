--[=[
  Claim a batch: one whose lease or whose pause has run out, else a new one of the entries that have waited longest.

  A batch keeps its id and its entries until it is settled, whoever claims it, and however often. A key is in one batch at most.
  Entries leave the queue before anything is added, so that a server that is out of memory can still be drained.

  KEYS  pending   hash  what waits: field to value
  KEYS  ready     list  the fields that wait and may be claimed, oldest first
  KEYS  inflight  hash  what has been claimed and is not settled: field to value
  KEYS  members   zset  field to the number of its batch
  KEYS  batches   zset  number of a batch to the time when it may be claimed
  KEYS  state     hash  what is known of each batch, and of the journal
  ARGV  token      string   the claimer's own, unique to this call; a new batch takes it for its id
  ARGV  batchSize  integer  the most entries of a new batch
  ARGV  leaseMs    integer  how long nobody else may claim the batch
  REPLY [string, integer, integer, integer, string[], bytes[]] | nil
    the batch: its id, its number, how often it was claimed, after how many of its failures the source accepted something else before the
    next attempt, fields, values; nil when there is nothing to claim
]=]
local pending = KEYS[1]
local ready = KEYS[2]
local inflight = KEYS[3]
local members = KEYS[4]
local batches = KEYS[5]
local state = KEYS[6]
local token = ARGV[1]
local batchSize = tonumber(ARGV[2])
local leaseMs = tonumber(ARGV[3])

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local leasedUntil = string.format('%.0f', nowMs + leaseMs)

-- An entry without a value was evicted by a server that is set to evict: there is nothing left to flush.
local function present(source, fields)
  local kept, values = {}, {}
  for i, value in ipairs(redis.call('HMGET', source, unpack(fields))) do
    if value then
      kept[#kept + 1] = fields[i]
      values[#values + 1] = value
    end
  end
  return kept, values
end

local due = redis.call('ZRANGEBYSCORE', batches, '-inf', string.format('%.0f', nowMs), 'LIMIT', 0, 1)
if due[1] then
  local number = due[1]
  redis.call('ZREM', batches, number)
  redis.call('ZADD', batches, leasedUntil, number)
  redis.call('HSET', state, number .. ':owner', token)
  local attempt = redis.call('HINCRBY', state, number .. ':attempt', 1)
  local known = redis.call('HMGET', state, number .. ':id', number .. ':failed', 'accepted', number .. ':overtaken')
  local overtaken = tonumber(known[4] or 0)
  if known[2] and tonumber(known[3] or -1) >= tonumber(known[2]) then
    overtaken = redis.call('HINCRBY', state, number .. ':overtaken', 1)
  end
  -- Counted once, also when the next attempt ends by the death of its process.
  redis.call('HDEL', state, number .. ':failed')
  local fields, values = redis.call('ZRANGEBYSCORE', members, number, number), {}
  if #fields > 0 then fields, values = present(inflight, fields) end
  return { known[1] or token, tonumber(number), attempt, overtaken, fields, values }
end

local oldest = redis.call('LPOP', ready, batchSize)
if not oldest then return false end
local fields, values = present(pending, oldest)
redis.call('HDEL', pending, unpack(oldest))
local number = string.format('%.0f', redis.call('HINCRBY', state, 'last', 1))
for i, field in ipairs(fields) do
  redis.call('HSET', inflight, field, values[i])
  redis.call('ZADD', members, number, field)
end
redis.call('HSET', state, number .. ':id', token, number .. ':owner', token, number .. ':attempt', 1)
redis.call('ZADD', batches, leasedUntil, number)
return { token, tonumber(number), 1, 0, fields, values }
