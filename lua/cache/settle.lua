--[[
  Put what a load came to in the place of its lease, and wake those who wait for it.

  Only while the lease is still there: an entry that was deleted, written or taken over meanwhile is left as it is. That is what makes a value
  that was loaded before an invalidation dead on arrival.

  KEYS  entry    string   the cache entry
  ARGV  marker   bytes    our lease, as it was taken
  ARGV  outcome  bytes    the encoded value, the mark of a failure, or empty for nothing
  ARGV  ttlMs    integer  time to live of the outcome in milliseconds
  ARGV  channel  string   where waiters listen
  REPLY integer  1 when the outcome took the lease's place, 0 when the lease was no longer ours
]]
local entry = KEYS[1]
local marker = ARGV[1]
local outcome = ARGV[2]
local ttlMs = tonumber(ARGV[3])
local channel = ARGV[4]

local held = redis.call('GET', entry)
-- The last byte of a lease says whether somebody waits for it.
if not held or string.sub(held, 1, -2) ~= string.sub(marker, 1, -2) then return 0 end

if outcome == '' then
  redis.call('UNLINK', entry)
else
  redis.call('SET', entry, outcome, 'PX', ttlMs)
end
if held ~= marker then redis.call('PUBLISH', channel, entry) end
return 1
