--[[
  Put what loads came to in the place of their leases, and wake those who wait for them.

  Only while a lease is still there: an entry that was deleted, written or taken over meanwhile is left as it is. That is what makes a value
  that was loaded before an invalidation dead on arrival.

  KEYS  entries...   string                   entries of one slot
  ARGV  channel      string                   where waiters listen
  ARGV  outcomes...  (bytes, bytes, integer)  for each entry in turn: our lease, as it was taken; the encoded value, the mark of a failure, or empty for
    nothing; and the outcome's time to live in milliseconds
  REPLY integer[]  1 for each outcome that took its lease's place, 0 where the lease was no longer ours
]]
local channel = ARGV[1]

local outcomes = { unpack(ARGV, 2) }
local settled = {}
for i, entry in ipairs(KEYS) do
  local marker = outcomes[3 * i - 2]
  -- pcall, because an entry of another Redis type is not ours, and must not cost the others their place.
  local held = redis.pcall('GET', entry)
  -- The last byte of a lease says whether somebody waits for it.
  local isOurs = type(held) == 'string' and string.sub(held, 1, -2) == string.sub(marker, 1, -2)
  if isOurs and outcomes[3 * i - 1] == '' then
    redis.call('UNLINK', entry)
  elseif isOurs then
    redis.call('SET', entry, outcomes[3 * i - 1], 'PX', outcomes[3 * i])
  end
  if isOurs and held ~= marker then redis.call('PUBLISH', channel, entry) end
  settled[i] = isOurs and 1 or 0
end
return settled
