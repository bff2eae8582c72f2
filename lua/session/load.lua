--[[
  Read sessions, and put off the ends of those that are in use.

  A session ends when its key does: after its idle timeout, and at its deadline at the latest. Both are kept by the one expiry of the key, so a session
  that can be read is alive. The end is put off once a tenth of the idle timeout is over, so most reads write nothing.

  KEYS  sessions...  hash     of one slot
  ARGV  idleMs...    integer  of each: its idle timeout, if it has none of its own; 0 leaves its end as it is
  REPLY bytes[][]  of each: its fields and their values, and last, unless its end was left alone, the milliseconds that it has left; nothing when there is none
]]
local nowMs
local replies = {}
for i = 1, #ARGV do
  local session = KEYS[i]
  local fields = redis.call('HGETALL', session)
  local size = #fields
  local idleMs = tonumber(ARGV[i])
  if size > 0 and idleMs > 0 then
    local leftMs = redis.call('PTTL', session)
    local createdMs, lifeMs, ownIdle
    local isReplaced = false
    for at = 1, size, 2 do
      local name = fields[at]
      if name == '#' then
        createdMs, lifeMs, ownIdle = string.match(fields[at + 1], '^(%d+):(%d+):(%d*):')
      elseif name == '#n' then
        isReplaced = true
      end
    end
    local ownMs = tonumber(ownIdle) or idleMs
    if leftMs <= ownMs * 0.9 and createdMs and not isReplaced then
      if not nowMs then
        local time = redis.call('TIME')
        nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
      end
      local freshMs = math.min(ownMs, createdMs + lifeMs - nowMs)
      -- Shortly before its deadline there is nothing to put off.
      if freshMs - leftMs >= ownMs / 10 then
        redis.call('HSET', session, '#s', string.format('%.0f', nowMs - createdMs))
        redis.call('PEXPIRE', session, string.format('%.0f', freshMs))
        leftMs = freshMs
      end
    end
    fields[size + 1] = string.format('%.0f', leftMs)
  end
  replies[i] = fields
end
return replies
