--[[
  Write what has changed in a session, under the id that it has by now. One that has ended is not brought back.

  KEYS  session   hash     the one that is written to
  ARGV  removed   integer  how many attributes are taken out
  ARGV  words...  bytes    their names, then the names and the values of those that are set
  REPLY integer | string[]  1 when it is written; 0 when there is no such session; its new id when it has been given one and is written there; an empty text when
    what has come after it is another's: nothing is written then
]]
local session = KEYS[1]
local removed = tonumber(ARGV[1])

local ID_LENGTH = 27
local at = session
local newId
local state = redis.call('HMGET', at, '#', '#n')
-- It may have been given several, one after the other.
while state[2] do
  newId = state[2]
  if newId == '' then return { '' } end
  at = string.sub(session, 1, -ID_LENGTH - 1) .. newId
  state = redis.call('HMGET', at, '#', '#n')
end
if not state[1] then return 0 end
local words = { unpack(ARGV, 2) }
if removed > 0 then redis.call('HDEL', at, unpack(words, 1, removed)) end
if #words > removed then redis.call('HSET', at, unpack(words, removed + 1)) end
if newId then return { newId } end
return 1
