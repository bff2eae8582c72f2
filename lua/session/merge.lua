--[[
  Write what has changed in a session of another library, and put its end off. One that has ended is not brought back, and what was stored under its key since
  is left alone.

  Whoever has not changed how the cookie is set up puts the end off only while it is set up as they have read it: a lifetime that another request has just
  given the session stays.

  KEYS  session   hash     the one that is written to
  ARGV  birth     string   which one it was when it was read; empty for any
  ARGV  cookie    string   how its cookie was set up when it was read; empty to put the end off in any case
  ARGV  expires   string   when its cookie expires, in milliseconds by the clock of who writes; empty for a cookie that does not
  ARGV  ttlMs     integer  it ends after so long; 0 for at once
  ARGV  removed   integer  how many attributes are taken out
  ARGV  words...  bytes    their names, then the names and the values of those that are set
  REPLY integer  1 when it is written; 0 when there is no such session
]]
local session = KEYS[1]
local birth = ARGV[1]
local cookie = ARGV[2]
local expires = ARGV[3]
local ttlMs = tonumber(ARGV[4])
local removed = tonumber(ARGV[5])

local stored = redis.call('HMGET', session, '#c', 'cookie')
if not stored[1] or (birth ~= '' and birth ~= stored[1]) then return 0 end
local words = {}
for i = 6, #ARGV do words[i - 5] = ARGV[i] end
-- In parts, since Lua hands over some thousand words at once and no more.
for at = 1, removed, 1000 do
  redis.call('HDEL', session, unpack(words, at, math.min(at + 999, removed)))
end
for at = removed + 1, #words, 1000 do
  redis.call('HSET', session, unpack(words, at, math.min(at + 999, #words)))
end
if cookie == '' or cookie == stored[2] then
  redis.call('HSET', session, '#e', expires)
  redis.call('PEXPIRE', session, ttlMs)
end
return 1
