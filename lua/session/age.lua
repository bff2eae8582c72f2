--[[
  How long ago a session was made, by the clock that said when: that of a process may be another.

  KEYS  session  hash  the one that is asked about
  REPLY integer  milliseconds; -1 when there is no such session
]]
local session = KEYS[1]

local createdMs = string.match(redis.call('HGET', session, '#') or '', '^%d+')
if not createdMs then return -1 end
local time = redis.call('TIME')
-- A clock that was set back makes nothing younger than new.
return math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - createdMs)
