--[[
  Read what one key has in the journal, at one moment: an entry is never seen in both places, nor in none, while it is being claimed.

  KEYS  pending   hash  what waits: field to value
  KEYS  inflight  hash  what has been claimed and is not settled: field to value
  ARGV  field  string  the key
  REPLY [bytes | nil, bytes | nil]  the value in flight, and the later one that waits
]]
local pending = KEYS[1]
local inflight = KEYS[2]
local field = ARGV[1]

return { redis.call('HGET', inflight, field), redis.call('HGET', pending, field) }
