--[[
  Take the right to replace an entry that is there but no longer good: stale, invalidated by a tag, or written in another format.

  Its lease lies beside it, so that the entry can be read on meanwhile.

  KEYS  entry    string   the cache entry
  KEYS  lease    string   the lease beside it
  ARGV  seen     bytes    the first 12 bytes of the entry, as the reader saw it
  ARGV  marker   bytes    the lease to take
  ARGV  leaseMs  integer  how long it is ours, in milliseconds
  ARGV  waits    integer  1 to be woken when another's refresh ends
  REPLY [integer, bytes | nil]  0 and nil: the lease is ours. 0 and bytes: the mark of a failure that is still backed off. Above 0: another's lease, with
    what is left of it in milliseconds. -1: the entry is another by now
]]
local entry = KEYS[1]
local lease = KEYS[2]
local seen = ARGV[1]
local marker = ARGV[2]
local leaseMs = tonumber(ARGV[3])
local waits = tonumber(ARGV[4])

-- An absent entry reads as an empty one would.
local isSame = redis.call('GETRANGE', entry, 0, 11) == seen and (seen ~= '' or redis.call('EXISTS', entry) == 1)
if not isSame then return { -1, false } end
local held = redis.call('GET', lease)
if not held then
  redis.call('SET', lease, marker, 'PX', leaseMs)
  return { 0, false }
end
-- Ours already, when the command is sent a second time; but for its last byte, which says that somebody waits.
if string.sub(held, 1, -2) == string.sub(marker, 1, -2) then return { 0, false } end
if string.byte(held, 1) ~= string.byte(marker, 1) then return { 0, held } end
if waits == 1 then redis.call('SET', lease, string.sub(held, 1, -2) .. '1', 'KEEPTTL') end
return { math.max(1, redis.call('PTTL', lease)), false }
