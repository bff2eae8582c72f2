--[[
  A claim asks for a lock, or leaves it. Those who are next in the queue then have it, as far as there is room: nobody else comes in between.

  A claim is `<token><permits>/<limit>@<ttlMs>:<channel>`, or `<token>@<ttlMs>:<channel>` when it takes the lock whole; the token has 22 characters. With `~` for `@`
  the count of those who hear a message says nothing, as on a cluster.

  The state is the last fence (16 digits), whether somebody waits (0 or 1), and who has it: nothing; or `<claim>:<milliseconds>`, when one has it whole, with the end
  of its lease counted from the fence, which is a time; or the number of permits that are out.

  - A fence is later than each before it, also when the clock was set back: the state outlives the lease, and the key that expires by that clock proves that
    the clock is past it.
  - A claim that has the lock already has it anew, for its whole time to live and with a new fence: so asking twice does no harm.
  - Who is next in the queue has the lock with a fence, and is told so by `<token>:<fence>:<now>:<milliseconds>`. It has it for as long as it asked for, when it is
    heard and came just now; else for a second, within which it has to prolong that, or ask again. One whom nobody hears is taken out, and may come back
    to its place.
  - Who is the first in the queue from now on is told by `<token>:<milliseconds>` how long the lease lasts that it waits for: nobody else looks when that is over.
    One whom nobody hears is taken out here too, and the next one is told.

  KEYS  lock    string   the state
  KEYS  shares  string   who has permits: sorted set by the end of their leases
  KEYS  queue   string   who waits: sorted set by ticket
  ARGV  claim   string   who asks or leaves; empty: all leave who have it
  ARGV  ttlMs   string   for how long it asks, in milliseconds; 0 when it leaves
  ARGV  ticket  string   its place in the queue: -1 when it does not wait, 0 for the end, or the ticket that it had
  REPLY integer | [integer, integer, integer, integer]  asking: the fence when it has the lock; else the milliseconds until a lease ends, the number of those before
    it, its ticket, and the time. Leaving: how many claims left
]]
local lock = KEYS[1]
local shares = KEYS[2]
local queue = KEYS[3]
local claim = ARGV[1]
local ttlMs = ARGV[2]
local ticket = ARGV[3]

local state = redis.call('GET', lock)
local isCalm = not state or string.byte(state, 17) == 48

-- The usual end: it has the lock, and nobody waits.
if ttlMs == '0' and isCalm and state and claim ~= '' and string.sub(state, 18, 17 + #claim) == claim then
  redis.call('SET', lock, string.sub(state, 1, 17), 'KEEPTTL')
  return 1
end

local RETAIN_MS = 60000
local time = redis.call('TIME')
local now = time[1] .. string.sub('00000' .. time[2], -6)

-- The usual beginning: nobody has the lock, nobody waits, and the claim is for all of it.
if ttlMs ~= '0' and (not state or (isCalm and #state == 17 and string.sub(state, 1, 16) < now)) then
  local sign = string.byte(claim, 23)
  if sign == 64 or sign == 126 then
    redis.call('SET', lock, now .. '0' .. claim .. ':' .. ttlMs, 'PX', ttlMs + RETAIN_MS)
    return tonumber(now)
  end
end

local RESERVED_MS = 1000
local FRESH_MS = 200
local isLeaving = ttlMs == '0'
local forMs = tonumber(ttlMs)
local place = tonumber(ticket)
local fence = '0000000000000000'
-- In microseconds, as all times here.
local nowUs = tonumber(now)
local holder = ''
local endsUs = 0
local used = 0
local isChanged = false
local isAdmitting = false
local longestMs = math.max(forMs, RESERVED_MS)
local wakes = {}
if state then
  fence = string.sub(state, 1, 16)
  local whole, lasts = string.match(state, '^(.*):(-?%d+)$', 18)
  if whole then
    endsUs = fence + lasts * 1000
    if nowUs < endsUs then holder = whole end
  else
    used = tonumber(string.sub(state, 18)) or 0
  end
end
if used > 0 then
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', shares, '-inf', now)) do
    redis.call('ZREM', shares, expired)
    used = used - string.match(expired, '^%d+', 23)
    isChanged = true
  end
  if used > 0 and redis.call('EXISTS', shares) == 0 then used = 0 end
end

local function admits(asking)
  local permits, limit = string.match(asking, '^(%d+)/(%d+)', 23)
  if holder ~= '' then return false end
  if not permits then return used == 0 end
  return used + permits <= tonumber(limit)
end

local function admit(asking, leaseMs)
  local permits = string.match(asking, '^(%d+)/', 23)
  if not permits then
    holder = asking
    endsUs = nowUs + leaseMs * 1000
  else
    -- Those whose count was lost with the state do not count any more.
    if used == 0 then redis.call('UNLINK', shares) end
    if redis.call('ZADD', shares, nowUs + leaseMs * 1000, asking) == 1 then used = used + permits end
  end
  isChanged = true
  isAdmitting = true
end

local function first()
  local head, since = unpack(redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES'))
  if head then return head, since, string.match(head, '([@~])(%d+):(.*)$', 23) end
end

local function wake(asking, channel, text)
  return redis.call('PUBLISH', channel, string.sub(asking, 1, 22) .. ':' .. text)
end

local left = 0
-- The fence of who asks, once it has the lock.
local own
local waits = false

local function nextFence()
  return fence < now and now or string.format('%.0f', fence + 1)
end

local function enter()
  fence = nextFence()
  admit(claim, forMs)
  own = fence
end

if isLeaving then
  if claim == '' then
    left = (holder ~= '' and 1 or 0) + (used > 0 and redis.call('ZCARD', shares) or 0)
    holder = ''
    used = 0
    redis.call('UNLINK', shares)
  elseif holder == claim then
    left = 1
    holder = ''
  else
    local permits = string.match(claim, '^(%d+)/', 23)
    if permits and redis.call('ZREM', shares, claim) == 1 then
      left = 1
      used = used - permits
    end
  end
  if not isCalm then redis.call('ZREM', queue, claim) end
  isChanged = true
elseif holder == claim or (used > 0 and redis.call('ZSCORE', shares, claim)) then
  enter()
elseif place > 0 then
  -- Where it was, when it was taken out or the queue was lost.
  redis.call('ZADD', queue, place, claim)
  isCalm = false
end

while not isCalm do
  local head, since, sign, asked, channel = first()
  if not head then
    isCalm = true
    isChanged = true
  elseif not admits(head) then
    break
  else
    redis.call('ZREM', queue, head)
    isChanged = true
    isAdmitting = true
    if head == claim then
      enter()
    elseif sign == '~' or redis.call('PUBSUB', 'NUMSUB', channel)[2] > 0 then
      local ageMs = (nowUs - since) / 1000
      local isThere = sign == '@' and ageMs >= 0 and ageMs < FRESH_MS
      local leaseMs = isThere and tonumber(asked) or RESERVED_MS
      longestMs = math.max(longestMs, leaseMs)
      fence = nextFence()
      admit(head, leaseMs)
      wakes[#wakes + 1] = { head, channel, fence .. ':' .. now .. ':' .. leaseMs }
    end
  end
end

if not isLeaving and not own then
  waits = not isCalm and redis.call('ZSCORE', queue, claim)
  if isCalm and admits(claim) then
    enter()
  elseif place >= 0 and not waits then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    waits = math.max(nowUs, (last or 0) + 1)
    redis.call('ZADD', queue, waits, claim)
    isCalm = false
  end
end

local nextEndUs = holder ~= '' and endsUs or (used > 0 and redis.call('ZRANGE', shares, 0, 0, 'WITHSCORES')[2])
local waitMs = nextEndUs and math.max(1, math.ceil((nextEndUs - nowUs) / 1000)) or RESERVED_MS
-- The first one has to look when that lease ends: one whom nobody hears would not. Who asks just now is there.
while not isCalm and (isAdmitting or isLeaving) do
  local head, _, sign, _, channel = first()
  if not head then
    isCalm = true
  elseif wake(head, channel, waitMs) > 0 or sign == '~' or head == claim then
    break
  else
    redis.call('ZREM', queue, head)
  end
end

if isChanged or waits then
  -- The key has to be there for as long as the clock is behind the fence.
  local aheadMs = math.max(0, math.ceil((fence - nowUs) / 1000))
  local lifeMs = math.max(redis.call('PTTL', lock), longestMs + RETAIN_MS + aheadMs)
  local whose = used > 0 and used or ''
  if holder ~= '' then whose = holder .. string.format(':%.0f', (endsUs - fence) / 1000) end
  redis.call('SET', lock, fence .. (isCalm and '0' or '1') .. whose, 'PX', lifeMs)
  if used > 0 then redis.call('PEXPIRE', shares, lifeMs) end
  if not isCalm then redis.call('PEXPIRE', queue, lifeMs) end
end

-- What is written last, a server sends first.
for _, one in ipairs(wakes) do
  wake(one[1], one[2], one[3])
end
if isLeaving then return left end
if own then return tonumber(own) end
if not waits then return { waitMs, redis.call('ZCARD', queue), -1, nowUs } end
return { waitMs, redis.call('ZRANK', queue, claim), tonumber(waits), nowUs }
