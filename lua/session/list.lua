--[[
  The sessions that a user has, those left out that have been given a new id. What has ended by its idle timeout leaves the list.

  KEYS  index     zset    the sessions of the user, by their deadlines
  ARGV  sessions  string  what the keys of the sessions of this slot begin with; an id follows
  REPLY string[][]  of each: its id, when it was made, its deadline and when it was last seen, in milliseconds; where it was made from, and by what, empty when
    that is not known
]]
local index = KEYS[1]
local sessions = ARGV[1]

local listed = {}
for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local state = redis.call('HMGET', sessions .. id, '#n', '#c', '#d', '#s', '#i', '#b')
  if not state[2] then
    redis.call('ZREM', index, id)
  elseif not state[1] then
    listed[#listed + 1] = { id, state[2], state[3], state[4], state[5] or '', state[6] or '' }
  end
end
return listed
