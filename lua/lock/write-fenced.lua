--[[
  Store a value, unless somebody with a later fence has written there.

  KEYS  entry  string   the value, with the fence of its writer before it (16 digits)
  ARGV  fence  string   16 digits
  ARGV  value  bytes    the value
  ARGV  ttlMs  integer  how long it is kept, in milliseconds
  REPLY integer  1 when it is stored, 0 when a later fence was there
]]
local entry = KEYS[1]
local fence = ARGV[1]
local value = ARGV[2]
local ttlMs = tonumber(ARGV[3])

if fence < redis.call('GETRANGE', entry, 0, 15) then return 0 end
redis.call('SET', entry, fence .. value, 'PX', ttlMs)
return 1
