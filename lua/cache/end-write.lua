--[[
  Put what was written to the source into the cache, if nobody else wrote the same key meanwhile; else evict the entry, since nobody can say whose
  write the source took last.

  Whoever evicts the entry, or sets it, takes the fence away too: what this writer has from the source may be from before that.

  Each writer leaves its id in the fence before it writes. One that found no other's id there passes a value here; and if it finds its own id there now, it was
  alone.

  KEYS  entry    string   the cache entry
  KEYS  fence    string   who writes the key
  ARGV  id       string   ours
  ARGV  value    bytes    the encoded value; empty to evict, also when there was another's id before ours
  ARGV  ttlMs    integer  its time to live in milliseconds
  ARGV  leaves   integer  1 to leave the entry as it is: the source was not changed
  ARGV  lease    integer  the first byte of a lease
  ARGV  channel  string   where waiters listen
  REPLY integer  1 when the value is stored, 0 when it is not
]]
local entry = KEYS[1]
local fence = KEYS[2]
local id = ARGV[1]
local value = ARGV[2]
local ttlMs = tonumber(ARGV[3])
local leaves = tonumber(ARGV[4])
local lease = tonumber(ARGV[5])
local channel = ARGV[6]

local isOurs = redis.call('GET', fence) == id
-- Not alone: whoever else is writing must not store its value either, since ours may have been the later one.
if isOurs or leaves == 0 then redis.call('UNLINK', fence) end
if leaves == 1 then return 0 end

local head = redis.pcall('GETRANGE', entry, 0, 11)
local isStored = isOurs and value ~= ''
if isStored then
  redis.call('SET', entry, value, 'PX', ttlMs)
else
  redis.call('UNLINK', entry)
end
-- A lease is 12 bytes, and the last one says whether somebody waits for it.
if type(head) == 'string' and string.byte(head, 1) == lease and string.sub(head, 12) == '1' then
  redis.call('PUBLISH', channel, entry)
end
return isStored and 1 or 0
