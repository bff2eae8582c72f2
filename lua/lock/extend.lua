--[[
  Prolong the lease of a claim that has the lock.

  KEYS  lock    string   the state, as `turn` keeps it
  KEYS  shares  string   who has permits
  ARGV  claim   string   whose lease it is
  ARGV  ttlMs   integer  for how long from now on, in milliseconds
  ARGV  fence   string   16 digits: later grants have a greater fence; 0s to leave that as it is
  REPLY integer  1 when the lease is prolonged, 0 when it has ended
]]
local lock = KEYS[1]
local shares = KEYS[2]
local claim = ARGV[1]
local ttlMs = tonumber(ARGV[2])
local fence = ARGV[3]

local state = redis.call('GET', lock)
if not state then return 0 end
local time = redis.call('TIME')
local now = time[1] .. string.sub('00000' .. time[2], -6)
local ends = string.format('%.0f', now + ttlMs * 1000)
local rest = string.sub(state, 18)
if string.sub(state, 34) == claim then
  if string.sub(state, 18, 33) <= now then return 0 end
  rest = ends .. claim
else
  local leaseEnds = redis.call('ZSCORE', shares, claim)
  if not leaseEnds or tonumber(leaseEnds) <= tonumber(now) then return 0 end
  redis.call('ZADD', shares, ends, claim)
end
local last = string.sub(state, 1, 16)
if last < fence then last = fence end
local aheadMs = math.max(0, math.ceil((last - now) / 1000))
-- As long as it was, or longer: others may have longer leases.
local lifeMs = math.max(redis.call('PTTL', lock), ttlMs + 60000 + aheadMs)
redis.call('SET', lock, last .. string.sub(state, 17, 17) .. rest, 'PX', lifeMs)
redis.call('PEXPIRE', shares, lifeMs)
return 1
