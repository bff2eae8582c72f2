--[[
  Keep the slots of holders that are still at work. A slot whose lease ended is not taken again: somebody else may have it.

  KEYS  slots      string   a sorted set: a member for each holder, by the end of its lease
  ARGV  leaseMs    integer  how long the slots are kept from now on
  ARGV  holders... integer  the names of the holders
  REPLY integer    how many were still held
]]
local slots = KEYS[1]
local leaseMs = tonumber(ARGV[1])

local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', slots, '-inf', string.format('%.0f', nowUs))
local lease = string.format('%.0f', nowUs + leaseMs * 1000)
local kept = 0
for _, holder in ipairs({ unpack(ARGV, 2) }) do
  if redis.call('ZSCORE', slots, holder) then
    redis.call('ZADD', slots, 'XX', lease, holder)
    kept = kept + 1
  end
end
if kept > 0 then redis.call('PEXPIRE', slots, leaseMs) end
return kept
