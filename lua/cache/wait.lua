--[[
  Wait for another's load: mark its lease, so that its holder wakes us.

  When the lease is gone by now, the entry is read, or its lease taken, in the same step: there is no moment in which a wake could be missed.

  KEYS  entry    string   the cache entry
  ARGV  marker   bytes    the lease to take if there is none
  ARGV  leaseMs  integer  how long it would be ours, in milliseconds
  REPLY [integer, bytes | nil]  how long the other's lease lasts in milliseconds, above 0 when there is one; else 0, and what the entry holds, nil when the
    lease is ours
]]
local entry = KEYS[1]
local marker = ARGV[1]
local leaseMs = tonumber(ARGV[2])

local held = redis.call('GET', entry)
if not held then
  redis.call('SET', entry, marker, 'PX', leaseMs)
  return { 0, false }
end
-- Ours already, when the command is sent a second time; but for its last byte, which says that somebody waits.
if string.sub(held, 1, -2) == string.sub(marker, 1, -2) then return { 0, false } end
if string.byte(held, 1) ~= string.byte(marker, 1) then return { 0, held } end
redis.call('SET', entry, string.sub(held, 1, -2) .. '1', 'KEEPTTL')
return { math.max(1, redis.call('PTTL', entry)), false }
