--[[
  Read the tokens of tags before a load, and make those that are missing.

  An entry holds the tokens that its tags had before it was loaded, and is good for as long as they are the same. A token that is made here, because its
  tag is new or long unused, begins with `c`, and is another one than any before; one that an invalidation issued begins with `i`, and the number behind
  is the tags' clock of that moment, so that a loader can tell an invalidation before its load from a later one.

  The clock is the stamp of the last invalidation, and not the server's time, which may be set back: the stamp of the next one is greater in any case.

  KEYS  clock    string   the last invalidation of any of these tags
  KEYS  tags...  string   the token of each tag
  ARGV  holdMs   integer  how long tokens are kept, in milliseconds: each has at least three quarters of it left afterwards
  REPLY bytes[]  the clock, 0 where there is none, then the token of each tag
]]
local clock = KEYS[1]
local holdMs = tonumber(ARGV[1])

local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local lastUs = tonumber(redis.call('GET', clock) or 0)
-- The clock outlives every token that an invalidation issued, or nobody could tell when that was.
if lastUs > 0 and redis.call('PTTL', clock) < holdMs * 3 / 4 then redis.call('PEXPIRE', clock, holdMs) end
local tokens = { string.format('%.0f', lastUs) }
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
