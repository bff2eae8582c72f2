--[[
  Renew the lease of a batch that is still being flushed.

  KEYS  batches  zset  number of a batch to the time when it may be claimed
  KEYS  state    hash  what is known of each batch
  ARGV  number   integer  the batch
  ARGV  token    string   of the claim that holds it
  ARGV  leaseMs  integer  how long nobody else may claim it, from now
  REPLY integer  1 when it is renewed, 0 when the batch belongs to somebody else or is settled
]]
local batches = KEYS[1]
local state = KEYS[2]
local number = tonumber(ARGV[1])
local token = ARGV[2]
local leaseMs = tonumber(ARGV[3])

local batch = string.format('%.0f', number)
if redis.call('HGET', state, batch .. ':owner') ~= token then return 0 end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
-- Removed first: a server that is out of memory takes what follows a removal.
redis.call('ZREM', batches, batch)
redis.call('ZADD', batches, string.format('%.0f', nowMs + leaseMs), batch)
return 1
