--[[
  Give back slots of a holder.

  KEYS  slots...  string   sorted sets of one slot of the cluster: a member for each holder, by the end of its lease
  ARGV  holder    integer  the holder's name
  REPLY integer   how many it still had
]]
local holder = tonumber(ARGV[1])

local released = 0
for _, slots in ipairs(KEYS) do
  released = released + redis.call('ZREM', slots, string.format('%.0f', holder))
end
return released
