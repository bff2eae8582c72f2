--[[
  Take the lease of each entry that is absent, so that its reader alone loads it. For entries too large to be read by a script.

  Nothing is written where something is, were it the lease of another.

  KEYS  entries...  string            entries of one slot
  ARGV  leases...   (bytes, integer)  for each entry in turn, the lease to take and how long it is ours, in milliseconds
  REPLY integer[]  1 for each lease that is ours; empty when none is
]]
local leases = { unpack(ARGV, 1) }
-- Most are there as a rule.
if redis.call('EXISTS', unpack(KEYS)) == #KEYS then return {} end
local taken = {}
for i, entry in ipairs(KEYS) do
  local isTaken = redis.call('SET', entry, leases[2 * i - 1], 'NX', 'PX', leases[2 * i])
  taken[i] = isTaken and 1 or 0
end
return taken
