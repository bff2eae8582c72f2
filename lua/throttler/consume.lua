--[[
  Decide on requests, each by one to eight policies at once, and charge each of them to all of its policies or to none.

  Times are in microseconds, counts in whole units. No policy takes the time to run backwards from what it has stored. A refusal writes nothing, but for the
  block of a policy that asks for one. Every key expires when it would count for nothing any more.

  | kind | policy         | a                    | b                | what is kept                                                             |
  | ---- | -------------- | -------------------- | ---------------- | ------------------------------------------------------------------------ |
  | 1    | GCRA           | numerator of the     | its denominator  | theoretical arrival time, behind a colon its fraction in b-ths           |
  |      |                | interval of a unit   |                  |                                                                          |
  | 2    | sliding window | window               |                  | number of the newest of 26 sub-windows of a 25th of it; all their counts |
  | 3    | fixed window   | window               |                  | its start, its count                                                     |
  | 4    | sliding counter| window               |                  | number of the window, its count, the count of the one before             |
  | 5    | token bucket   | time between refills | tokens of one    | time of the last refill, tokens taken since the bucket was full          |
  | 6    | sliding log    | window               |                  | sorted set: a member for each unit, by its time                          |
  | 7    | concurrency    | lease                |                  | sorted set: a member for each holder, by the end of its lease            |

  KEYS  keys...   string   for each request in turn: the blocks of its callers; a key for each policy; a block for each policy that has a blockMs
  ARGV  givenUs   integer  the time, for tests; 0 for the server's own
  ARGV  latestUs  integer  after this time nobody waits for the decisions, and nothing is done; 0 for no such time
  ARGV  mode      integer  0 looks, 1 charges what all policies have room for, 2 charges whether they have or not, and takes back what is below 0
  ARGV  defined   integer  how many policies are defined
  ARGV  words...  integer  for each policy that is defined: kind, limit, a, b, units, 1 when it refuses nobody or else 0, for how many milliseconds
    a refusal blocks or else 0; then for each request: how many callers, how many policies, its name as a holder, and the number of each policy
  REPLY integer[]  the time; then for each request: 1 when it is admitted, 0 when policies refuse it, -1 when a caller is blocked; for a blocked one for how many
    milliseconds; else for each policy what it has left, after how many milliseconds it has its whole limit again, and after how many it has room for these
    units, 0 when it has now. Nothing but the time when it is too late
]]
local givenUs = tonumber(ARGV[1])
local latestUs = tonumber(ARGV[2])
local mode = tonumber(ARGV[3])
local defined = tonumber(ARGV[4])

local now = givenUs
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
if latestUs > 0 and now > latestUs then return { now } end

local keys = { unpack(KEYS, 1) }
local words = { unpack(ARGV, 5) }
-- What several requests of this call have in common, the later ones find as the earlier ones left it.
local known = {}
for place, value in ipairs(redis.call('MGET', unpack(KEYS))) do known[keys[place]] = value end

-- Of a narrow ring, whose counts take two bytes each, and of a wide one.
local NARROW, NARROW_BYTES = '>I6HHHHHHHHHHHHHHHHHHHHHHHHHH', 58
local WIDE = '>I6I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4'
-- The most that a count can be.
local MOST = 4294967295

local reply = { now }
local key, word = 0, 7 * defined
while word < #words do
  local callers, policies, holder = tonumber(words[word + 1]), tonumber(words[word + 2]), words[word + 3]

  local blockedMs = 0
  if mode < 2 then
    for place = key + 1, key + callers do
      if known[keys[place]] then blockedMs = math.max(blockedMs, redis.call('PTTL', keys[place]), 1) end
    end
  end
  key = key + callers

  local admitted = true
  local fits, used, rests, resets, retries, values, ttls, blocks = {}, {}, {}, {}, {}, {}, {}, {}
  local nextBlock = key + policies
  for i = 1, policies do
    local at = 7 * words[word + 3 + i] - 7
    local kind, limit, a, b = tonumber(words[at + 1]), tonumber(words[at + 2]), tonumber(words[at + 3]), tonumber(words[at + 4])
    local units, blockMs = tonumber(words[at + 5]), tonumber(words[at + 7])
    local held = known[keys[key + i]]
    -- What is taken, when all of it is given back, and when there is room for more; what to store, and when that counts for nothing any more.
    local taken, reset, retry, value, forgotten = 0, 0, 0, nil, nil
    -- As much of what is taken as cannot be taken back.
    local rest = 0

    if kind == 1 then
      local arrival, fraction = now, 0
      if held then
        local colon = string.find(held, ':', 1, true)
        local whole = tonumber(colon and string.sub(held, 1, colon - 1) or held)
        -- The policy may have been changed since, and with it what a fraction is a part of.
        if whole >= now then arrival, fraction = whole, colon and math.min(tonumber(string.sub(held, colon + 1)), b - 1) or 0 end
      end
      local debt = (arrival - now) * b + fraction
      taken = math.ceil(debt / a)
      reset = math.ceil(debt / b)
      debt = math.max(0, debt + units * a)
      if debt > limit * a then retry = math.ceil((debt - limit * a) / b) end
      arrival, fraction = now + math.floor(debt / b), debt % b
      value = string.format(fraction == 0 and '%.0f' or '%.0f:%.0f', arrival, fraction)
      forgotten = math.ceil(debt / b)
    elseif kind == 2 then
      local width = math.ceil(a / 25)
      local newest = math.floor(now / width)
      local counts
      if held then
        counts = { struct.unpack(#held == NARROW_BYTES and NARROW or WIDE, held) }
        local last = counts[1]
        newest = math.max(newest, last)
        for index = math.max(last + 1, newest - 25), newest do counts[2 + index % 26] = 0 end
        for place = 2, 27 do taken = taken + counts[place] end
        if taken > 0 then reset = (last + 26) * width - now end
      else
        counts = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
      end
      if taken + units > limit then
        -- The oldest leave first, each as a whole.
        local over, index = taken + units - limit, newest - 26
        while over > 0 and index < newest do
          index = index + 1
          over = over - counts[2 + index % 26]
        end
        retry = (index + 26) * width - now
      end
      local left = units
      -- What is taken back comes off the newest, which would stay longest.
      for index = newest, newest - 25, -1 do
        if left >= 0 then break end
        local off = math.min(-left, counts[2 + index % 26])
        counts[2 + index % 26] = counts[2 + index % 26] - off
        left = left + off
      end
      local place = 2 + newest % 26
      counts[place] = math.min(MOST, counts[place] + math.max(0, left))
      local isWide = limit > 65535 or counts[place] > 65535 or (held and #held ~= NARROW_BYTES)
      value = struct.pack(isWide and WIDE or NARROW, newest, unpack(counts, 2, 27))
      forgotten = (newest + 26) * width - now
    elseif kind == 3 then
      local start = now
      if held then
        local began, counted = struct.unpack('>I7I4', held)
        -- One that holds nothing has not begun: units came back when no window was open, or all of its own did.
        if counted > 0 and now < began + a then start, taken = began, counted end
        if taken > 0 then reset = start + a - now end
      end
      if taken + units > limit then retry = start + a - now end
      value = struct.pack('>I7I4', start, math.min(MOST, math.max(0, taken + units)))
      forgotten = start + a - now
    elseif kind == 4 then
      local windowMs, nowMs = a / 1000, math.floor(now / 1000)
      local index = math.floor(nowMs / windowMs)
      local this, before = 0, 0
      if held then
        local number, counted, previous = struct.unpack('>I6I4I4', held)
        if number >= index then
          index, this, before = number, counted, previous
        elseif number == index - 1 then
          before = counted
        end
      end
      local elapsedMs = math.max(0, nowMs - index * windowMs)
      rest = math.floor(before * (windowMs - elapsedMs) / windowMs)
      taken = rest + this
      if this > 0 then reset = (index + 2) * a - now elseif before > 0 then reset = (index + 1) * a - now end
      if taken + units > limit then
        local room = limit - units
        local ms = 0
        if this > room then
          ms = windowMs + math.floor((this - room - 1) * windowMs / this) + 1
        else
          ms = math.floor((before - (room - this) - 1) * windowMs / before) + 1
        end
        retry = index * a + ms * 1000 - now
      end
      value = struct.pack('>I6I4I4', index, math.min(MOST, math.max(0, this + units)), before)
      forgotten = (index + 2) * a - now
    elseif kind == 5 then
      local refilled = now
      if held then
        local last, counted = struct.unpack('>I7I4', held)
        local refills = math.max(0, math.floor((now - last) / a))
        taken = math.max(0, counted - refills * b)
        if taken > 0 then refilled = last + refills * a end
        reset = math.ceil(taken / b) * a + refilled - now
      end
      if taken + units > limit then retry = math.ceil((taken + units - limit) / b) * a + refilled - now end
      local after = math.min(MOST, math.max(0, taken + units))
      value = struct.pack('>I7I4', refilled, after)
      forgotten = math.ceil(after / b) * a + refilled - now
    elseif kind == 6 then
      local newest = tonumber(redis.call('ZREVRANGE', keys[key + i], 0, 0, 'WITHSCORES')[2] or 0)
      value = math.max(now, newest)
      local gone = string.format('(%.0f', value - a)
      taken = redis.call('ZCOUNT', keys[key + i], gone, '+inf')
      if taken > 0 then reset = newest + a - now end
      if taken + units > limit then
        local nth = taken + units - limit - 1
        local leaving = redis.call('ZRANGEBYSCORE', keys[key + i], gone, '+inf', 'WITHSCORES', 'LIMIT', math.min(nth, taken - 1), 1)[2]
        retry = tonumber(leaving) + a - now
      end
      forgotten = value + a - now
    else
      units = 1
      taken = redis.call('ZCOUNT', keys[key + i], string.format('(%.0f', now), '+inf')
      -- Nobody knows when a holder will be done: a second is as good a guess as any.
      if taken + units > limit then retry = 1000000 end
      value = now + a
      forgotten = a
    end

    if blockMs > 0 then
      nextBlock = nextBlock + 1
      blocks[i] = keys[nextBlock]
      if known[keys[nextBlock]] and mode < 2 then retry = math.max(redis.call('PTTL', keys[nextBlock]), 1) * 1000 end
    end
    fits[i] = retry <= 0 or mode == 2
    if not fits[i] and words[at + 6] == '0' then admitted = false end
    used[i], rests[i], resets[i], retries[i], values[i] = taken, rest, reset, retry, value
    ttls[i] = math.max(1, math.ceil(forgotten / 1000))
  end

  if blockedMs > 0 then
    reply[#reply + 1] = -1
    reply[#reply + 1] = blockedMs
  else
    reply[#reply + 1] = admitted and 1 or 0
    for i = 1, policies do
      local at = 7 * words[word + 3 + i] - 7
      local kind, limit, units = tonumber(words[at + 1]), tonumber(words[at + 2]), tonumber(words[at + 5])
      local name, value = keys[key + i], values[i]
      if admitted and fits[i] and mode > 0 then
        if kind == 6 then
          redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('%.0f', value - words[at + 3]))
          if units < 0 then
            redis.call('ZPOPMAX', name, -units)
          else
            local score = string.format('%.0f', value)
            local twins = redis.call('ZCOUNT', name, score, score)
            for unit = twins + 1, twins + units do redis.call('ZADD', name, score, string.format('%s-%010.0f', score, unit)) end
          end
          redis.call('PEXPIRE', name, ttls[i])
        elseif kind < 6 then
          redis.call('SET', name, value, 'PX', ttls[i])
          known[name] = value
        elseif mode == 1 then
          redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('%.0f', now))
          redis.call('ZADD', name, string.format('%.0f', value), holder)
          redis.call('PEXPIRE', name, math.max(ttls[i], redis.call('PTTL', name)))
          units = 1
        else
          units = 0
        end
        used[i] = math.max(rests[i], used[i] + units)
        if kind < 7 then resets[i] = used[i] > 0 and ttls[i] * 1000 or 0 end
      elseif mode == 1 and not fits[i] and blocks[i] and words[at + 6] == '0' and not known[blocks[i]] then
        redis.call('SET', blocks[i], '1', 'PX', words[at + 7])
        redis.call('UNLINK', name)
        known[blocks[i]], known[name] = '1', false
        retries[i] = words[at + 7] * 1000
      end
      reply[#reply + 1] = math.max(0, limit - used[i])
      reply[#reply + 1] = math.ceil(resets[i] / 1000)
      reply[#reply + 1] = fits[i] and 0 or math.ceil(retries[i] / 1000)
    end
  end
  key = nextBlock
  word = word + 3 + policies
end
return reply
