--[[
  Write entries, whatever they held: a load that is under way for one of them will find its lease gone. Those who wait for it are woken.

  KEYS  entries...  string            entries of one slot
  ARGV  lease       integer           the first byte of a lease
  ARGV  channel     string            where waiters listen
  ARGV  values...   (bytes, integer)  for each entry in turn, the encoded value and its time to live in milliseconds
  REPLY integer  how many were written
]]
local lease = tonumber(ARGV[1])
local channel = ARGV[2]

local values = { unpack(ARGV, 3) }
for i, entry in ipairs(KEYS) do
  local head = redis.pcall('GETRANGE', entry, 0, 11)
  redis.call('SET', entry, values[2 * i - 1], 'PX', values[2 * i])
  -- A lease is 12 bytes, and the last one says whether somebody waits for it.
  if type(head) == 'string' and string.byte(head, 1) == lease and string.sub(head, 12) == '1' then
    redis.call('PUBLISH', channel, entry)
  end
end
return #KEYS
