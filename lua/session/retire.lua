--[[
  End a session in favour of another that is made of it elsewhere, at a login. The old id is good for reading during a grace, for requests that are under way;
  what they write is lost.

  KEYS  session    hash  the one that ends
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

local fields = redis.call('HGETALL', session)
if #fields == 0 or redis.call('HEXISTS', session, '#n') == 1 then return fields end
if graceMs > 0 then
  redis.call('HSET', session, '#n', '')
  redis.call('PEXPIRE', session, math.min(graceMs, redis.call('PTTL', session)))
else
  redis.call('UNLINK', session)
  if user ~= '' then redis.call('ZREM', index, id) end
end
if tells == 1 then
  redis.call('ZREM', deadlines, id .. user)
  if user ~= '' then
    local time = redis.call('TIME')
    local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    redis.call('ZADD', ended, now, id .. 'l' .. now .. user)
    redis.call('PEXPIRE', ended, 604800000)
  end
end
return fields
