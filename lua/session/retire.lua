--[[
  End a session in favour of another that is made of it elsewhere, at a login, under the id that it has by now. The old id is good for reading during a grace, for
  requests that are under way; what they write is lost. Without a grace none of the ids that it had is good for anything.

  KEYS  session    hash  the one that ends, under an id that it has or had
  KEYS  index      zset  the sessions of its user, by their deadlines; left alone for a session of nobody
  KEYS  deadlines  zset  when to look whether a session of this slot has ended
  KEYS  ended      zset  ends that are to be told
  ARGV  id       string   what its key ends with
  ARGV  user     string   empty for nobody
  ARGV  graceMs  integer  0 for none
  ARGV  tells    integer  1 when ends are told
  REPLY bytes[]  its fields and their values, as they were; nothing when there is no such session
]]
local session = KEYS[1]
local index = KEYS[2]
local deadlines = KEYS[3]
local ended = KEYS[4]
local id = ARGV[1]
local user = ARGV[2]
local graceMs = tonumber(ARGV[3])
local tells = tonumber(ARGV[4])

local sessions = string.sub(session, 1, -#id - 1)
local last = id
local newId = redis.call('HGET', session, '#n')
while newId and newId ~= '' do
  last = newId
  newId = redis.call('HGET', sessions .. last, '#n')
end
local fields = redis.call('HGETALL', sessions .. last)
if #fields > 0 and not newId and graceMs > 0 then
  redis.call('HSET', sessions .. last, '#n', '')
  redis.call('PEXPIRE', sessions .. last, math.min(graceMs, redis.call('PTTL', sessions .. last)))
end
local ending = graceMs == 0 and last
while ending do
  local earlier = redis.call('HGET', sessions .. ending, '#p')
  redis.call('UNLINK', sessions .. ending)
  if user ~= '' then redis.call('ZREM', index, ending) end
  ending = earlier
end
if #fields > 0 and not newId and tells == 1 then
  redis.call('ZREM', deadlines, last .. user)
  if user ~= '' then
    local time = redis.call('TIME')
    local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    redis.call('ZADD', ended, now, last .. 'l' .. now .. user)
    redis.call('PEXPIRE', ended, 604800000)
  end
end
return fields
