--[[
  Give a batch back that the source did not take, to be claimed again after a pause. Its entries and its id stay as they are.

  KEYS  batches  zset  number of a batch to the time when it may be claimed
  KEYS  state    hash  what is known of each batch
  ARGV  number   integer  the batch
  ARGV  token    string   of the claim that holds it
  ARGV  pauseMs  integer  how long it is left alone
  REPLY integer  1 when it is given back, 0 when the batch belongs to somebody else or is settled
]]
local batches = KEYS[1]
local state = KEYS[2]
local number = tonumber(ARGV[1])
local token = ARGV[2]
local pauseMs = tonumber(ARGV[3])

local batch = string.format('%.0f', number)
if redis.call('HGET', state, batch .. ':owner') ~= token then return 0 end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
-- Removed first: a server that is out of memory takes what follows a removal.
redis.call('HDEL', state, batch .. ':owner')
redis.call('HSET', state, batch .. ':failed', string.format('%.0f', nowMs))
redis.call('ZADD', batches, string.format('%.0f', nowMs + pauseMs), batch)
return 1
