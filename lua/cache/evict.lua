--[[
  Evict entries: values, leases of loads under way, marks of failures. Those who wait for such a load are woken and start their own; whoever is writing
  the source of an entry is no longer taken for its only writer.

  KEYS  entries...  string   entries of one slot, and after them the write fence of each
  ARGV  lease       integer  the first byte of a lease
  ARGV  channel     string   where waiters listen
  REPLY integer  how many there were
]]
local lease = tonumber(ARGV[1])
local channel = ARGV[2]

local evicted = 0
for i, key in ipairs(KEYS) do
  -- pcall, because an entry of another Redis type goes too.
  local head = redis.pcall('GETRANGE', key, 0, 11)
  local found = redis.call('UNLINK', key)
  if i <= #KEYS / 2 then evicted = evicted + found end
  if type(head) == 'string' and string.byte(head, 1) == lease and string.sub(head, 12) == '1' then
    redis.call('PUBLISH', channel, key)
  end
end
return evicted
