--[[
  Store a value that was loaded after a miss, unless somebody wrote the key meanwhile.

  The reader passes what it saw: nothing, or bytes that it could not decode. The value is stored only while the key
  still holds just that. A key that was written, deleted, or given another Redis type meanwhile is left alone.

  KEYS  entry  string   the cache entry
  ARGV  value  bytes    the encoded value
  ARGV  ttlMs  integer  time to live in milliseconds, above 0; the server refuses other values and nothing is written
  ARGV  seen   bytes    empty when the reader saw nothing, else the exact bytes that may be replaced
  REPLY integer  1 when the value is stored, 0 when the entry was left alone
]]
local entry = KEYS[1]
local value = ARGV[1]
local ttlMs = tonumber(ARGV[2])
local seen = ARGV[3]

local stored = false
if seen == '' then
  stored = redis.call('SET', entry, value, 'PX', ttlMs, 'NX')
-- pcall, because another type is an answer here: its error is a table, which equals no string.
elseif redis.pcall('GET', entry) == seen then
  stored = redis.call('SET', entry, value, 'PX', ttlMs)
end

return stored and 1 or 0
