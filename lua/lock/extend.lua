--[[
  Prolong the lease of a claim that has the lock, or shorten it; the first in the queue is told when that is the lease that it waits for.

  KEYS  lock    string   the state, as `turn` keeps it
  KEYS  shares  string   who has permits
  KEYS  queue   string   who waits
  ARGV  claim   string   whose lease it is
  ARGV  ttlMs   integer  for how long from now on, in milliseconds
  ARGV  fence   string   16 digits: later grants have a greater fence; 0s to leave that as it is
  REPLY integer  1 when the lease is prolonged, 0 when it has ended
]]
local lock = KEYS[1]
local shares = KEYS[2]
local queue = KEYS[3]
local claim = ARGV[1]
local ttlMs = tonumber(ARGV[2])
local fence = ARGV[3]

local state = redis.call('GET', lock)
if not state then return 0 end
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local endsUs = nowUs + ttlMs * 1000
local last = string.sub(state, 1, 16)
local raised = last < fence and fence or last
local whose = string.sub(state, 18)
local holder, lasts = string.match(whose, '^(.*):(-?%d+)$')
if holder == claim then
  if last + lasts * 1000 <= nowUs then return 0 end
  whose = holder .. string.format(':%.0f', (endsUs - raised) / 1000)
elseif holder then
  return 0
else
  if tonumber(redis.call('ZSCORE', shares, claim) or 0) <= nowUs then return 0 end
  redis.call('ZADD', shares, endsUs, claim)
end
local aheadMs = math.max(0, math.ceil((raised - nowUs) / 1000))
-- As long as it was, or longer: others may have longer leases.
local lifeMs = math.max(redis.call('PTTL', lock), ttlMs + 60000 + aheadMs)
redis.call('SET', lock, raised .. string.sub(state, 17, 17) .. whose, 'PX', lifeMs)
redis.call('PEXPIRE', shares, lifeMs)
-- Who waits for the lease that ends next need not look at its old end, nor wait for it.
if string.byte(state, 17) == 49 and (holder or redis.call('ZRANGE', shares, 0, 0)[1] == claim) then
  local head = redis.call('ZRANGE', queue, 0, 0)[1]
  if head then
    redis.call('PUBLISH', string.match(head, '[@~]%d+:(.*)$', 23), string.sub(head, 1, 22) .. ':' .. ttlMs)
  end
end
return 1
