--[[
  Put dead letters back into the journal, to be flushed again.

  In mode replace, one whose key has a later write in the journal is dropped: the later write stands for both. In mode add it is summed with
  what waits, and stays a dead letter when the sum would be no safe integer.

  KEYS  pending      hash  what waits: field to value
  KEYS  ready        list  the fields that wait and may be claimed, oldest first
  KEYS  inflight     hash  what has been claimed and is not settled: field to value
  KEYS  dead         hash  what the source refused for good: field to value
  KEYS  deadSince    zset  field to the time of the refusal
  KEYS  deadReasons  hash  field to the name of the error
  ARGV  mode       string  "add" or "replace"
  ARGV  fields...  string  the dead letters
  REPLY integer  how many are dead letters no more
]]
local pending = KEYS[1]
local ready = KEYS[2]
local inflight = KEYS[3]
local dead = KEYS[4]
local deadSince = KEYS[5]
local deadReasons = KEYS[6]
local mode = ARGV[1]

local revived = 0
for i = 2, #ARGV do
  local field = ARGV[i]
  local value = redis.call('HGET', dead, field)
  local waiting = redis.call('HGET', pending, field)
  local flying = redis.call('HEXISTS', inflight, field) == 1
  local takes = value
  if value and mode == 'add' then
    local sum = tonumber(waiting or 0) + tonumber(value)
    takes = sum <= 9007199254740991 and sum >= -9007199254740991 and string.format('%.0f', sum)
  end
  if takes then
    redis.call('HDEL', dead, field)
    redis.call('ZREM', deadSince, field)
    redis.call('HDEL', deadReasons, field)
    if mode == 'add' or not (waiting or flying) then
      redis.call('HSET', pending, field, takes)
      if not waiting and not flying then redis.call('RPUSH', ready, field) end
    end
    revived = revived + 1
  end
end
return revived
