--[[
  Read the tokens of tags before a load, and make those that are missing.

  An entry holds the tokens that its tags had before it was loaded, and is good for as long as they are the same. A token that is made here, because its
  tag is new or long unused, begins with `c`; one that an invalidation issued begins with `i`. The number behind is the tags' clock of
  that moment, so that a loader can tell an invalidation before its load from a later one.

  The clock never runs backwards: it is the server's time in microseconds, or one more than the last invalidation, whichever is later.

  KEYS  clock    string   the last invalidation of any of these tags
  KEYS  tags...  string   the token of each tag
  ARGV  holdMs   integer  how long tokens are kept, in milliseconds: each has at least three quarters of it left afterwards
  REPLY bytes[]  the clock now, then the token of each tag
]]
local clock = KEYS[1]
local holdMs = tonumber(ARGV[1])

local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local lastUs = tonumber(redis.call('GET', clock) or 0)
-- One below the present microsecond, since an invalidation may still be issued in it.
-- The clock outlives every token that an invalidation issued, or nobody could tell when that was.
if lastUs > 0 and redis.call('PTTL', clock) < holdMs * 3 / 4 then redis.call('PEXPIRE', clock, holdMs) end
local tokens = { string.format('%.0f', math.max(lastUs, nowUs - 1)) }
local fresh = 'c' .. string.format('%.0f', math.max(lastUs + 1, nowUs))

for i = 2, #KEYS do
  local token = redis.call('GET', KEYS[i])
  if not token then
    token = fresh
    redis.call('SET', KEYS[i], token, 'PX', holdMs)
  elseif redis.call('PTTL', KEYS[i]) < holdMs * 3 / 4 then
    redis.call('PEXPIRE', KEYS[i], holdMs)
  end
  tokens[i] = token
end
return tokens
