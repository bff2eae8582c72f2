--[[
  Invalidate every entry that carries one of the tags, however many there are: each tag gets a new token, and no entry has it.

  KEYS  clock    string   the last invalidation of any of these tags
  KEYS  tags...  string   the token of each tag
  ARGV  holdMs   integer  how long the new tokens are kept, in milliseconds; longer than any load may take
  REPLY bytes  the new token, the same for all of them
]]
local clock = KEYS[1]
local holdMs = tonumber(ARGV[1])

local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local lastUs = tonumber(redis.call('GET', clock) or 0)
local stamp = string.format('%.0f', math.max(lastUs + 1, nowUs))
local token = 'i' .. stamp

redis.call('SET', clock, stamp, 'PX', holdMs)
for i = 2, #KEYS do
  redis.call('SET', KEYS[i], token, 'PX', holdMs)
end
return token
