--[[
  Put what loads came to in the place of their leases, and wake those who wait for them.

  The wake carries a small value with it, behind a NUL, which no key has: who waited for this very lease need not come for it.

  Only while a lease is still there: an entry that was deleted, written or taken over meanwhile is left as it is. That is what makes a value
  that was loaded before an invalidation dead on arrival.

  KEYS  entries...   string                   entries of one slot
  ARGV  channel      string                   where waiters listen
  ARGV  carried      integer                  the longest outcome that a wake carries, in bytes
  ARGV  outcomes...  (bytes, bytes, integer)  for each entry in turn: our lease, as it was taken; the encoded value, the mark of a failure, or empty for
    nothing; and the outcome's time to live in milliseconds
  REPLY integer[]  1 for each outcome that took its lease's place, 0 where the lease was no longer ours
]]
local channel = ARGV[1]

local carried = tonumber(ARGV[2])
local outcomes = { unpack(ARGV, 3) }
local settled = {}
for i, entry in ipairs(KEYS) do
  local marker = outcomes[3 * i - 2]
  local outcome = outcomes[3 * i - 1]
  -- pcall, because an entry of another Redis type is not ours, and must not cost the others their place.
  local held = redis.pcall('GET', entry)
  -- The last byte of a lease says whether somebody waits for it.
  local isOurs = type(held) == 'string' and string.sub(held, 1, -2) == string.sub(marker, 1, -2)
  if isOurs and outcome == '' then
    redis.call('UNLINK', entry)
  elseif isOurs then
    redis.call('SET', entry, outcome, 'PX', outcomes[3 * i])
  end
  if isOurs and held ~= marker then
    local isTold = outcome ~= '' and #outcome <= carried
    redis.call('PUBLISH', channel, isTold and entry .. '\0' .. outcome or entry)
  end
  settled[i] = isOurs and 1 or 0
end
return settled
