--[[
  The sessions that a user has, those left out that have been given a new id. What has ended by its idle timeout leaves the list.

  KEYS  index     zset    the sessions of the user, by their deadlines
  ARGV  sessions  string  what the keys of the sessions of this slot begin with; an id follows
  REPLY string[][]  of each: its id, the field that says what it is, the milliseconds after which it was last seen, and what is known of its device; empty when that is
    nothing
]]
local index = KEYS[1]
local sessions = ARGV[1]

local listed = {}
for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local state = redis.call('HMGET', sessions .. id, '#', '#n', '#s', '#b')
  if not state[1] then
    redis.call('ZREM', index, id)
  elseif not state[2] then
    listed[#listed + 1] = { id, state[1], state[3] or '0', state[4] or '' }
  end
end
return listed
