--[[
  Settle a batch: the source has taken its entries, but for those that are named, which become dead letters.

  Keys that were written again meanwhile become ready. In mode replace, a dead letter of a key goes when a later value of the key has been
  taken; in mode add, dead letters of a key are summed.

  KEYS  pending      hash  what waits: field to value
  KEYS  ready        list  the fields that wait and may be claimed, oldest first
  KEYS  inflight     hash  what has been claimed and is not settled: field to value
  KEYS  members      zset  field to the number of its batch
  KEYS  batches      zset  number of a batch to the time when it may be claimed
  KEYS  state        hash  what is known of each batch, and of the journal
  KEYS  dead         hash  what the source refused for good: field to value
  KEYS  deadSince    zset  field to the time of the refusal
  KEYS  deadReasons  hash  field to the name of the error
  ARGV  number     integer  the batch
  ARGV  token      string   of the claim that holds it
  ARGV  mode       string   "add" or "replace"
  ARGV  refused... (string, string)  a field that the source refused, and the name of the error
  REPLY integer  1 when it is settled; 0 when the batch belongs to somebody else or is settled; -1 when values that were written in mode
    replace would have to be summed: then nothing is changed
]]
local pending = KEYS[1]
local ready = KEYS[2]
local inflight = KEYS[3]
local members = KEYS[4]
local batches = KEYS[5]
local state = KEYS[6]
local dead = KEYS[7]
local deadSince = KEYS[8]
local deadReasons = KEYS[9]
local number = tonumber(ARGV[1])
local token = ARGV[2]
local mode = ARGV[3]

local batch = string.format('%.0f', number)
if redis.call('HGET', state, batch .. ':owner') ~= token then return 0 end
local time = redis.call('TIME')
local nowMs = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))

local reasons = {}
for i = 4, #ARGV, 2 do
  reasons[ARGV[i]] = ARGV[i + 1]
end

local function isSum(value)
  return not value or string.find(value, '^-?%d+$') ~= nil
end

local fields = redis.call('ZRANGEBYSCORE', members, batch, batch)
if mode == 'add' then
  for _, field in ipairs(fields) do
    if reasons[field] and not (isSum(redis.call('HGET', inflight, field)) and isSum(redis.call('HGET', dead, field))) then
      return -1
    end
  end
end

-- Removed first: a server that is out of memory takes what follows a removal.
redis.call('ZREM', batches, batch)
redis.call('HDEL', state, batch .. ':id', batch .. ':owner', batch .. ':attempt', batch .. ':failed', batch .. ':overtaken')
redis.call('ZREMRANGEBYSCORE', members, batch, batch)

local accepted = false
for _, field in ipairs(fields) do
  local value = redis.call('HGET', inflight, field)
  redis.call('HDEL', inflight, field)
  if reasons[field] and value then
    if mode == 'add' then
      redis.call('HINCRBY', dead, field, value)
    else
      redis.call('HSET', dead, field, value)
    end
    redis.call('ZADD', deadSince, nowMs, field)
    redis.call('HSET', deadReasons, field, reasons[field])
  else
    accepted = true
    if mode == 'replace' and redis.call('HDEL', dead, field) == 1 then
      redis.call('ZREM', deadSince, field)
      redis.call('HDEL', deadReasons, field)
    end
  end
  if redis.call('HEXISTS', pending, field) == 1 then redis.call('RPUSH', ready, field) end
end
if accepted then redis.call('HSET', state, 'accepted', nowMs) end
return 1
