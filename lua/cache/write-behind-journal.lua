--[[
  Journal one write of a key, coalesced with what is already waiting for that key.

  Nothing here has a TTL but the ids: these keys hold what is not in the source yet. A refusal writes nothing. A server that is out
  of memory refuses the first write below, and so the whole.

  KEYS  pending   hash  what waits: field to value
  KEYS  ready     list  the fields that wait and may be claimed, oldest first
  KEYS  inflight  hash  what has been claimed and is not settled: field to value
  KEYS  dead      hash  what the source refused for good
  KEYS  ids       zset  ids of writes to the time they were journalled
  ARGV  field        string    the key
  ARGV  value        bytes    the encoded value; an integer in mode add
  ARGV  mode         string   "add" sums, "replace" keeps the last
  ARGV  maxEntries   integer  the most entries that may wait, be in flight or be dead
  ARGV  id           string   what a repeated call has in common with the first one, or empty
  ARGV  idWindowMs   integer  how long an id is remembered
  REPLY integer  1 journalled, 2 a write of that id was journalled before, 0 the journal is full, -1 the sum is no safe integer
]]
local pending = KEYS[1]
local ready = KEYS[2]
local inflight = KEYS[3]
local dead = KEYS[4]
local ids = KEYS[5]
local field = ARGV[1]
local value = ARGV[2]
local mode = ARGV[3]
local maxEntries = tonumber(ARGV[4])
local id = ARGV[5]
local idWindowMs = tonumber(ARGV[6])

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local forgotten = string.format('%.0f', nowMs - idWindowMs)

if id ~= '' then
  local journalledMs = redis.call('ZSCORE', ids, id)
  if journalledMs and tonumber(journalledMs) > tonumber(forgotten) then return 2 end
end

local waiting = redis.call('HGET', pending, field)
if not waiting then
  local entries = redis.call('HLEN', pending) + redis.call('HLEN', inflight) + redis.call('HLEN', dead)
  if entries >= maxEntries then return 0 end
end

local journalled = value
if mode == 'add' then
  local sum = tonumber(waiting or 0) + tonumber(value)
  if sum > 9007199254740991 or sum < -9007199254740991 then return -1 end
  journalled = string.format('%.0f', sum)
end
redis.call('HSET', pending, field, journalled)
-- A key in flight becomes ready when its batch is settled, so that its writes reach the source one after the other.
if not waiting and redis.call('HEXISTS', inflight, field) == 0 then redis.call('RPUSH', ready, field) end

if id ~= '' then
  redis.call('ZADD', ids, string.format('%.0f', nowMs), id)
  redis.call('PEXPIRE', ids, idWindowMs)
  -- One id comes and up to two go, so that the set shrinks without a long walk.
  local expired = redis.call('ZRANGEBYSCORE', ids, '-inf', forgotten, 'LIMIT', 0, 2)
  if #expired > 0 then redis.call('ZREM', ids, unpack(expired)) end
  if redis.call('ZCARD', ids) > maxEntries then redis.call('ZPOPMIN', ids) end
end
return 1
