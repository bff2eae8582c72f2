--[[
  What is to be seen of a lock. Nothing is changed.

  KEYS  lock    string   the state, as `turn` keeps it
  KEYS  shares  string   who has permits
  KEYS  queue   string   who waits
  REPLY integer[]  the last fence, 0 when none is known; the milliseconds for which one claim has the lock whole, 0 when none has; the number of those who
    wait; and for each claim with permits their number and the milliseconds that its lease lasts
]]
local lock = KEYS[1]
local shares = KEYS[2]
local queue = KEYS[3]

local state = redis.call('GET', lock)
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local seen = { 0, 0, redis.call('ZCARD', queue) }
if state then
  seen[1] = tonumber(string.sub(state, 1, 16))
  local lasts = string.match(state, ':(-?%d+)$', 18)
  if lasts then seen[2] = math.max(0, math.ceil((seen[1] + lasts * 1000 - nowUs) / 1000)) end
end
local held = redis.call('ZRANGEBYSCORE', shares, string.format('(%.0f', nowUs), '+inf', 'WITHSCORES')
for i = 1, #held, 2 do
  seen[#seen + 1] = tonumber(string.match(held[i], '^%d+', 23))
  seen[#seen + 1] = math.ceil((held[i + 1] - nowUs) / 1000)
end
return seen
