--[[
  Find the sessions of a slot that have ended, and take ends that are to be told, for a while: whoever has told of one takes it out, and who dies before that
  leaves it to the next.

  A deadline in the list may be out of date, since the use of a session puts its end off without a word here: then it is put right.

  KEYS  deadlines  zset  when to look whether a session of this slot has ended: its id, and its user
  KEYS  ended      zset  ends that are to be told, by when they may be taken: the session's id, a letter for the reason, the time in milliseconds, the user
  ARGV  sessions   string   what the keys of the sessions of this slot begin with; an id follows
  ARGV  most       integer  how many are looked at, and how many are taken
  ARGV  leaseMs    integer  for how long they are taken
  REPLY string[]  those that are taken
]]
local deadlines = KEYS[1]
local ended = KEYS[2]
local sessions = ARGV[1]
local most = tonumber(ARGV[2])
local leaseMs = tonumber(ARGV[3])

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local now = string.format('%.0f', nowMs)
local due = redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most)
for i = 1, #due, 2 do
  local member = due[i]
  local leftMs = redis.call('PTTL', sessions .. string.sub(member, 1, 27))
  if leftMs > 0 then
    redis.call('ZADD', deadlines, string.format('%.0f', nowMs + leftMs), member)
  else
    redis.call('ZREM', deadlines, member)
    redis.call('ZADD', ended, now, string.sub(member, 1, 27) .. 'x' .. due[i + 1] .. string.sub(member, 28))
    redis.call('PEXPIRE', ended, 604800000)
  end
end

local taken = redis.call('ZRANGEBYSCORE', ended, '-inf', now, 'LIMIT', 0, most)
for _, member in ipairs(taken) do
  redis.call('ZADD', ended, string.format('%.0f', nowMs + leaseMs), member)
end
return taken
