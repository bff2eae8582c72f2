--[[
  Write what has changed in a session. One that has ended is not brought back.

  KEYS  session   hash     the one that is written to
  ARGV  removed   integer  how many attributes are taken out
  ARGV  words...  bytes    their names, then the names and the values of those that are set
  REPLY integer | string[]  1 when it is written; 0 when there is no such session; its successor's id when it has been given a new one, or an empty text when
    what has come after it is another's: nothing is written then
]]
local session = KEYS[1]
local removed = tonumber(ARGV[1])

local state = redis.call('HMGET', session, '#', '#n')
if not state[1] then return 0 end
if state[2] then return { state[2] } end
local words = { unpack(ARGV, 2) }
if removed > 0 then redis.call('HDEL', session, unpack(words, 1, removed)) end
if #words > removed then redis.call('HSET', session, unpack(words, removed + 1)) end
return 1
