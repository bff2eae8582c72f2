--[[
  Give a session a new id. The old one is good for reading during a grace, for requests that are under way; what they write goes to the successor.

  KEYS  session    hash  under its old id
  KEYS  successor  hash  under its new one
  KEYS  index      zset  the sessions of its user, by their deadlines; left alone for a session of nobody
  KEYS  deadlines  zset  when to look whether a session of this slot has ended
  ARGV  id       string   the old one
  ARGV  nextId   string   the new one
  ARGV  user     string   empty for nobody
  ARGV  graceMs  integer  0 for none
  ARGV  tells    integer  1 when ends are told
  REPLY integer | string[]  the milliseconds that it has until its deadline when it is done; 0 when there is no such session; the id that it has when it has been given
    one already, empty when what has come after it is another's
]]
local session = KEYS[1]
local successor = KEYS[2]
local index = KEYS[3]
local deadlines = KEYS[4]
local id = ARGV[1]
local nextId = ARGV[2]
local user = ARGV[3]
local graceMs = tonumber(ARGV[4])
local tells = tonumber(ARGV[5])

local sessions = string.sub(session, 1, -#id - 1)
local state = redis.call('HMGET', session, '#', '#n')
if not state[1] then return 0 end
if state[2] then
  local newId = state[2]
  while newId ~= '' do
    local after = redis.call('HMGET', sessions .. newId, '#', '#n')
    if not after[1] then return 0 end
    if not after[2] then break end
    newId = after[2]
  end
  return { newId }
end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local leftMs = redis.call('PTTL', session)
if graceMs > 0 then
  redis.call('COPY', session, successor)
  redis.call('HSET', successor, '#p', id)
  redis.call('HSET', session, '#n', nextId)
  redis.call('PEXPIRE', session, math.min(graceMs, leftMs))
else
  redis.call('RENAME', session, successor)
end
-- The first id that it had: by that it is found by whoever knows an id that is not there any more.
redis.call('HSETNX', successor, '#o', id)
local createdMs, lifeMs = string.match(state[1], '^(%d+):(%d+):')
if user ~= '' then
  redis.call('ZADD', index, string.format('%.0f', createdMs + lifeMs), nextId)
  -- As at a login: otherwise every new id would leave one here.
  for _, other in ipairs(redis.call('ZRANDMEMBER', index, 8)) do
    if redis.call('EXISTS', sessions .. other) == 0 then redis.call('ZREM', index, other) end
  end
  -- Until its grace is over, the old one ends with all others of its user.
  if graceMs == 0 then redis.call('ZREM', index, id) end
  if redis.call('PTTL', index) < 0 then
    redis.call('PEXPIRE', index, string.format('%.0f', createdMs + lifeMs - nowMs))
  end
end
if tells == 1 then
  -- In this order: a list that loses its last member loses its TTL with it.
  redis.call('ZADD', deadlines, string.format('%.0f', nowMs + leftMs), nextId .. user)
  redis.call('ZREM', deadlines, id .. user)
  local keepMs = createdMs + lifeMs - nowMs + 604800000
  if redis.call('PTTL', deadlines) < keepMs then redis.call('PEXPIRE', deadlines, string.format('%.0f', keepMs)) end
end
return math.max(1, createdMs + lifeMs - nowMs)
