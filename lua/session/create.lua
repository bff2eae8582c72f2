--[[
  Make a session, list it with its user, and see to how many the user has.

  Sessions of the same user lie in one slot with their list, so the count is exact however many log in at once. A listed session may have ended by its idle
  timeout: it counts no more, and leaves the list here. With a limit all that are listed are looked at. Without one it is eight that are taken at random, which
  costs the same however many there are, and no session that lives can stand before those that have ended: where more than one in eight has, a login takes out
  more than the one it adds, on average, so the list comes to about 8/7 of what lives.

  KEYS  session    hash  the new one
  KEYS  index      zset  the sessions of its user, by their deadlines; left alone for a session of nobody
  KEYS  deadlines  zset  when to look whether a session of this slot has ended
  KEYS  ended      zset  ends that are to be told
  ARGV  sessions   string   what the keys of the sessions of this slot begin with; an id follows
  ARGV  id         string   of the new one
  ARGV  user       string   empty for nobody
  ARGV  idleMs     integer  it ends after so long without use
  ARGV  lifeMs     integer  it ends after so long in any case
  ARGV  most       integer  how many sessions a user may have; 0 for any number
  ARGV  evicts     integer  when there are more: 1 ends the oldest, 0 refuses the new one
  ARGV  tells      integer  1 when ends are told
  ARGV  ownIdle    string   the idle timeout, when it is one of its own; else empty
  ARGV  before     string   the id of a session of the same user that it takes the place of, and that ends with it; empty for none
  ARGV  words...   bytes    fields and their values
  REPLY [integer, integer]  the time at which it was made, in milliseconds, 0 when it is refused; how many were ended for it
]]
local session = KEYS[1]
local index = KEYS[2]
local deadlines = KEYS[3]
local ended = KEYS[4]
local sessions = ARGV[1]
local id = ARGV[2]
local user = ARGV[3]
local idleMs = tonumber(ARGV[4])
local lifeMs = tonumber(ARGV[5])
local most = tonumber(ARGV[6])
local evicts = tonumber(ARGV[7])
local tells = tonumber(ARGV[8])
local ownIdle = ARGV[9]
local before = ARGV[10]

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local now = string.format('%.0f', nowMs)
local deadline = string.format('%.0f', nowMs + lifeMs)
local firstMs = math.min(idleMs, lifeMs)
local evicted = 0

if user ~= '' then
  -- The id that it has by now.
  local replaced = before
  local newId = before ~= '' and redis.call('HGET', sessions .. before, '#n')
  while newId and newId ~= '' do
    replaced = newId
    newId = redis.call('HGET', sessions .. replaced, '#n')
  end
  local live = {}
  local gone = {}
  local listed = most > 0 and redis.call('ZRANGE', index, 0, -1) or redis.call('ZRANDMEMBER', index, 8)
  for _, other in ipairs(listed) do
    local state = redis.call('HMGET', sessions .. other, '#', '#n')
    if not state[1] then
      gone[#gone + 1] = other
    elseif not state[2] and other ~= replaced then
      live[#live + 1] = { other, tonumber(string.match(state[1], '^%d+')) }
    end
  end
  local excess = most > 0 and #live + 1 - most or 0
  if excess > 0 then
    if evicts == 0 then return { 0, 0 } end
    table.sort(live, function(a, b) return a[2] < b[2] end)
    for i = 1, excess do
      local other = live[i][1]
      local ending = other
      while ending do
        local earlier = redis.call('HGET', sessions .. ending, '#p')
        redis.call('UNLINK', sessions .. ending)
        redis.call('ZREM', index, ending)
        ending = earlier
      end
      if tells == 1 then
        redis.call('ZREM', deadlines, other .. user)
        redis.call('ZADD', ended, now, other .. 'v' .. now .. user)
      end
      evicted = evicted + 1
    end
  end
  for _, other in ipairs(gone) do redis.call('ZREM', index, other) end
  redis.call('ZADD', index, deadline, id)
  if redis.call('PTTL', index) < lifeMs then redis.call('PEXPIRE', index, lifeMs) end
end

local meta = now .. ':' .. string.format('%.0f', lifeMs) .. ':' .. ownIdle .. ':' .. user
redis.call('HSET', session, '#', meta)
local words = {}
for i = 11, #ARGV do words[i - 10] = ARGV[i] end
-- In parts, since Lua hands over some thousand words at once and no more.
for at = 1, #words, 1000 do
  redis.call('HSET', session, unpack(words, at, math.min(at + 999, #words)))
end
if before ~= '' then redis.call('HSET', session, '#p', before) end
redis.call('PEXPIRE', session, firstMs)
if tells == 1 then
  redis.call('ZADD', deadlines, string.format('%.0f', nowMs + firstMs), id .. user)
  -- A week longer than the session may last: an end that nobody hears of is kept for as long as those in the other list.
  local keepMs = lifeMs + 604800000
  if redis.call('PTTL', deadlines) < keepMs then redis.call('PEXPIRE', deadlines, keepMs) end
  if evicted > 0 then redis.call('PEXPIRE', ended, 604800000) end
end
return { nowMs, evicted }
