--[[
  Store a session of another library as a whole, in place of what there is.

  KEYS  session   hash     the one that is stored
  ARGV  birth     string   tells it from whatever is stored under its key after it; one that is replaced keeps its own
  ARGV  expires   string   when its cookie expires, in milliseconds by the clock of who writes; empty for a cookie that does not
  ARGV  ttlMs     integer  it ends after so long; 0 for at once
  ARGV  words...  bytes    fields and their values
  REPLY string  the birth that it has
]]
local session = KEYS[1]
local birth = ARGV[1]
local expires = ARGV[2]
local ttlMs = tonumber(ARGV[3])

local own = redis.call('HGET', session, '#c') or birth
redis.call('UNLINK', session)
if ttlMs <= 0 then return own end
redis.call('HSET', session, '#c', own, '#e', expires)
local words = {}
for i = 4, #ARGV do words[i - 3] = ARGV[i] end
-- In parts, since Lua hands over some thousand words at once and no more.
for at = 1, #words, 1000 do
  redis.call('HSET', session, unpack(words, at, math.min(at + 999, #words)))
end
redis.call('PEXPIRE', session, ttlMs)
return own
