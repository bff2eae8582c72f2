--[[
  Evict entries: values, leases of loads under way, marks of failures. Those who wait for such a load are woken and start their own.

  KEYS  entries...  string   entries of one slot
  ARGV  lease       integer  the first byte of a lease
  ARGV  channel     string   where waiters listen
  REPLY integer  how many there were
]]
local lease = tonumber(ARGV[1])
local channel = ARGV[2]

local evicted = 0
for _, entry in ipairs(KEYS) do
  -- pcall, because an entry of another Redis type goes too.
  local head = redis.pcall('GETRANGE', entry, 0, 11)
  evicted = evicted + redis.call('UNLINK', entry)
  if type(head) == 'string' and string.byte(head, 1) == lease and string.sub(head, 12) == '1' then
    redis.call('PUBLISH', channel, entry)
  end
end
return evicted
