--[[
  End sessions: those that are named, or all of a user.

  A session that has been given a new id ends together with its successor, and with what its ids before can still be read with. A single one whose id is not
  there any more is looked for among those of its user: it may have been given another.

  KEYS  index      zset  the sessions of the user, by their deadlines; left alone for a session of nobody
  KEYS  deadlines  zset  when to look whether a session of this slot has ended
  KEYS  ended      zset  ends that are to be told
  ARGV  sessions   string   what the keys of the sessions of this slot begin with; an id follows
  ARGV  user       string   empty for nobody
  ARGV  reason     string   one letter, for those who are told
  ARGV  except     string   the id of the one that goes on, be it one that was just replaced; empty for none
  ARGV  origin     string   the first id that a single one had, as far as it is known; else empty
  ARGV  isListed   integer  1 ends what is in the list of the user alone
  ARGV  tells      integer  1 when ends are told
  ARGV  ids...     string   none for all of the user
  REPLY integer  how many have ended
]]
local index = KEYS[1]
local deadlines = KEYS[2]
local ended = KEYS[3]
local sessions = ARGV[1]
local user = ARGV[2]
local reason = ARGV[3]
local except = ARGV[4]
local origin = ARGV[5]
local isListed = tonumber(ARGV[6])
local tells = tonumber(ARGV[7])

local ids = #ARGV > 7 and { unpack(ARGV, 8) } or redis.call('ZRANGE', index, 0, -1)
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local spared = except
local newId = except ~= '' and redis.call('HGET', sessions .. except, '#n')
while newId and newId ~= '' do
  spared = newId
  newId = redis.call('HGET', sessions .. spared, '#n')
end
if origin ~= '' and user ~= '' and redis.call('EXISTS', sessions .. ids[1]) == 0 then
  for _, other in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if redis.call('HGET', sessions .. other, '#o') == origin then ids[#ids + 1] = other end
  end
end
local named = #ids
local count = 0
local at = 1
while ids[at] do
  local id = ids[at]
  if id ~= spared and (isListed == 0 or at > named or redis.call('ZSCORE', index, id)) then
    local state = redis.call('HMGET', sessions .. id, '#', '#n', '#p')
    if state[1] then
      redis.call('UNLINK', sessions .. id)
      if not state[2] then
        count = count + 1
        if tells == 1 then
          redis.call('ZREM', deadlines, id .. user)
          redis.call('ZADD', ended, now, id .. reason .. now .. user)
        end
      elseif state[2] ~= '' then
        ids[#ids + 1] = state[2]
      end
      if state[3] then ids[#ids + 1] = state[3] end
    end
    if user ~= '' then redis.call('ZREM', index, id) end
  end
  at = at + 1
end
if tells == 1 and count > 0 then redis.call('PEXPIRE', ended, 604800000) end
return count
