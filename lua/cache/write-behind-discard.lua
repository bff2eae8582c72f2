--[[
  Forget dead letters.

  KEYS  dead         hash  what the source refused for good: field to value
  KEYS  deadSince    zset  field to the time of the refusal
  KEYS  deadReasons  hash  field to the name of the error
  ARGV  fields...  string  the dead letters
  REPLY integer  how many there were
]]
local dead = KEYS[1]
local deadSince = KEYS[2]
local deadReasons = KEYS[3]

redis.call('ZREM', deadSince, unpack(ARGV, 1))
redis.call('HDEL', deadReasons, unpack(ARGV, 1))
return redis.call('HDEL', dead, unpack(ARGV, 1))
