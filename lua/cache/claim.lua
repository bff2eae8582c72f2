--[[
  Read entries, and take the lease of each that is absent, so that its reader alone loads it.

  What `SET NX GET` does for one key, for several: nothing is written where something is, were it the lease of another.

  KEYS  entries...  string   entries of one slot
  ARGV  leaseMs     integer  how long an absent entry is ours to load, in milliseconds
  ARGV  markers...  bytes    the lease to take, for each entry in turn
  REPLY (bytes | nil)[]  what each entry holds: nil when the lease is ours, empty when it could be neither read nor taken
]]
local leaseMs = tonumber(ARGV[1])

local markers = { unpack(ARGV, 2) }
local found = {}
for i, entry in ipairs(KEYS) do
  -- pcall, because an entry of another Redis type must not cost the others their answer.
  local held = redis.pcall('SET', entry, markers[i], 'NX', 'GET', 'PX', leaseMs)
  if type(held) == 'table' then held = '' end
  found[i] = held
end

return found
