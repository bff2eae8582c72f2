--[[
  Read entries, and take the lease of each that is absent, so that its reader alone loads it.

  Nothing is written where something is, were it the lease of another.

  KEYS  entries...  string            entries of one slot
  ARGV  leases...   (bytes, integer)  for each entry in turn, the lease to take and how long it is ours, in milliseconds
  REPLY (bytes | nil)[]  what each entry holds: nil when the lease is ours, empty when it is of another Redis type
]]
local leases = { unpack(ARGV, 1) }
-- One call for all of them, since most are there as a rule. What is of another type reads as absent, and is not written over either.
local found = redis.call('MGET', unpack(KEYS))
for i, entry in ipairs(KEYS) do
  if not found[i] and not redis.call('SET', entry, leases[2 * i - 1], 'NX', 'PX', leases[2 * i]) then
    -- The same entry may be asked for twice, and then the first has the lease.
    found[i] = redis.pcall('GET', entry)
    if type(found[i]) == 'table' then found[i] = '' end
  end
end

return found
