--[=[
  List dead letters, oldest first.

  KEYS  dead         hash  what the source refused for good: field to value
  KEYS  deadSince    zset  field to the time of the refusal
  KEYS  deadReasons  hash  field to the name of the error
  ARGV  offset  integer  how many to pass over
  ARGV  limit   integer  the most to list
  REPLY [string[], bytes[], string[], integer[]]  fields, values, names of errors, times in milliseconds since the Unix epoch
]=]
local dead = KEYS[1]
local deadSince = KEYS[2]
local deadReasons = KEYS[3]
local offset = tonumber(ARGV[1])
local limit = tonumber(ARGV[2])

local fields, values, reasons, times = {}, {}, {}, {}
local listed = redis.call('ZRANGE', deadSince, offset, offset + limit - 1, 'WITHSCORES')
for i = 1, #listed, 2 do
  local value = redis.call('HGET', dead, listed[i])
  if value then
    fields[#fields + 1] = listed[i]
    values[#values + 1] = value
    reasons[#reasons + 1] = redis.call('HGET', deadReasons, listed[i]) or 'Error'
    times[#times + 1] = tonumber(listed[i + 1])
  end
end
return { fields, values, reasons, times }
