--[[
  Put what a refresh came to in the place of the entry that it replaces, and wake those who wait for it.

  Only while our lease and that very entry are still there: a refresh never revives what was deleted, nor undoes what was written.

  KEYS  entry      string   the cache entry
  KEYS  lease      string   the lease beside it
  ARGV  seen       bytes    the first 12 bytes of the entry, as the refresh found it
  ARGV  marker     bytes    our lease, as it was taken
  ARGV  outcome    bytes    the encoded value; empty for nothing, which evicts the entry
  ARGV  ttlMs      integer  time to live of the outcome in milliseconds
  ARGV  failure    bytes    the mark of a failure, which stays in the lease's place; empty when there was none
  ARGV  backoffMs  integer  how long that mark stays, in milliseconds; 0 for not at all
  ARGV  nowMs      integer  the time by the clock that the entry's end of freshness goes by
  ARGV  serveMs    integer  after a failure: how long the stale entry serves on, though not beyond its own time; 0 for not at all
  ARGV  channel    string   where waiters listen
  REPLY integer  1 when the outcome stands, 0 when the lease or the entry was no longer ours
]]
local entry = KEYS[1]
local lease = KEYS[2]
local seen = ARGV[1]
local marker = ARGV[2]
local outcome = ARGV[3]
local ttlMs = tonumber(ARGV[4])
local failure = ARGV[5]
local backoffMs = tonumber(ARGV[6])
local nowMs = tonumber(ARGV[7])
local serveMs = tonumber(ARGV[8])
local channel = ARGV[9]

-- Flags at byte 12, of which the second says that the entry serves on; then the end of freshness, six bytes below 128.
local function serveOn()
  local flags = string.byte(redis.call('GETRANGE', entry, 12, 12)) or 0
  if flags % 4 < 2 then flags = flags + 2 end
  local rest = nowMs + math.min(serveMs, redis.call('PTTL', entry))
  local untilMs = ''
  for _ = 1, 6 do
    untilMs = string.char(rest % 128) .. untilMs
    rest = math.floor(rest / 128)
  end
  redis.call('SETRANGE', entry, 12, string.char(flags) .. untilMs)
end

local held = redis.call('GET', lease)
if not held or string.sub(held, 1, -2) ~= string.sub(marker, 1, -2) then return 0 end
redis.call('UNLINK', lease)

-- An absent entry reads as an empty one would.
local isSame = redis.call('GETRANGE', entry, 0, 11) == seen and (seen ~= '' or redis.call('EXISTS', entry) == 1)
if isSame then
  if serveMs > 0 then
    serveOn()
  elseif failure ~= '' then
    if backoffMs > 0 then redis.call('SET', lease, failure, 'PX', backoffMs) end
  elseif outcome == '' then
    redis.call('UNLINK', entry)
  else
    redis.call('SET', entry, outcome, 'PX', ttlMs)
  end
end
if held ~= marker then redis.call('PUBLISH', channel, entry) end
return isSame and 1 or 0
