--[[
  Write entries, whatever they held: a load that is under way for one of them will find its lease gone. Those who wait for it are woken; whoever is writing
  the source of an entry is no longer taken for its only writer.

  KEYS  entries...  string            entries of one slot, and after them the write fence of each
  ARGV  lease       integer           the first byte of a lease
  ARGV  channel     string            where waiters listen
  ARGV  values...   (bytes, integer)  for each entry in turn, the encoded value and its time to live in milliseconds
  REPLY integer  how many were written
]]
local lease = tonumber(ARGV[1])
local channel = ARGV[2]

local values = { unpack(ARGV, 3) }
local count = #KEYS / 2
for i, key in ipairs(KEYS) do
  if i > count then
    redis.call('UNLINK', key)
  else
    local head = redis.pcall('GETRANGE', key, 0, 11)
    redis.call('SET', key, values[2 * i - 1], 'PX', values[2 * i])
    -- A lease is 12 bytes, and the last one says whether somebody waits for it.
    if type(head) == 'string' and string.byte(head, 1) == lease and string.sub(head, 12) == '1' then
      redis.call('PUBLISH', channel, key)
    end
  end
end
return count
