--[[
  Keep a lease for a load that takes its time.

  KEYS  lease    string   where the lease lies: the entry itself, or beside it
  ARGV  marker   bytes    our lease, as it was taken
  ARGV  leaseMs  integer  how long it is ours from now on, in milliseconds
  REPLY integer  1 when it is still ours, 0 when it is not
]]
local lease = KEYS[1]
local marker = ARGV[1]
local leaseMs = tonumber(ARGV[2])

local held = redis.call('GET', lease)
if not held or string.sub(held, 1, -2) ~= string.sub(marker, 1, -2) then return 0 end
redis.call('PEXPIRE', lease, leaseMs)
return 1
