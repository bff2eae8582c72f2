--[[
  Decide on requests, each by one to eight policies at once, and charge each of them to all of its policies or to none.

  Times are in microseconds, counts in whole units. No policy takes the time to run backwards from what it has stored. A refusal writes nothing, but for the
  block of a policy that asks for one. Every key expires when it would count for nothing any more, or a little later: setting an expiry costs more than writing
  a value, so an expiry is set that will do for a while.

  | kind | policy         | a                    | b                | what is kept                                                             |
  | ---- | -------------- | -------------------- | ---------------- | ------------------------------------------------------------------------ |
  | 1    | GCRA           | numerator of the     | its denominator  | theoretical arrival time, its fraction in b-ths, the expiry of the key   |
  |      |                | interval of a unit   |                  |                                                                          |
  | 2    | sliding window | window               |                  | number of the newest of 19 sub-windows of an 18th of it; all their counts |
  | 3    | fixed window   | window               |                  | its start, its count                                                     |
  | 4    | sliding counter| window               |                  | number of the window, its count, the count of the one before             |
  | 5    | token bucket   | time between refills | tokens of one    | time of the last refill, tokens taken since the bucket was full          |
  | 6    | sliding log    | window               |                  | sorted set: a member for each unit, by its time                          |
  | 7    | concurrency    | lease                |                  | sorted set: a member for each holder, by the end of its lease            |

  KEYS  keys...   string   for each request in turn: the blocks of its callers; a key for each policy; a block for each policy that has a blockMs
  ARGV  clockUs   integer  after this time nobody waits for the decisions, and nothing is done; 0 for no such time; below 0 minus the time itself, for tests
  ARGV  mode      integer  0 looks, 1 charges what all policies have room for, 2 charges whether they have or not, and takes back what is below 0
  ARGV  words...  integer  definitions of policies, which are numbered from 1, and requests. A definition: its kind, and 8 when it refuses nobody, and 16 when a refusal
    blocks; limit; a; for kinds 1 and 5 b; units; for how many milliseconds a refusal blocks, if it does. A request: minus the number of its policies, 16 times that of its
    callers and 256 when it has a name as a holder; the number of each policy; that name, if any
  REPLY integer[]  the time; then for each request: 1 when it is admitted, 0 when policies refuse it, -1 when a caller is blocked; for a blocked one for how many
    milliseconds; else for each policy what it has left, after how many milliseconds it has its whole limit again, and after how many it has room for these
    units, 0 when it has now. Nothing but the time when it is too late
]]
local clockUs = tonumber(ARGV[1])
local mode = tonumber(ARGV[2])

local now = -clockUs
if clockUs >= 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
  if clockUs > 0 and now > clockUs then return { now } end
end

local keys = { unpack(KEYS, 1) }
local words = { unpack(ARGV, 3) }
local stored = redis.call('MGET', unpack(KEYS))
-- What requests of this call have written, by key: the later ones find what they have in common as the earlier ones left it.
local written = {}

-- Of a narrow ring, whose counts take two bytes each, and of a wide one. The narrow one is as long as a string may be that Redis keeps in one piece.
local NARROW, NARROW_BYTES = '>I6HHHHHHHHHHHHHHHHHHH', 44
local WIDE = '>I6I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4'
-- The most that a count can be.
local MOST = 4294967295

local reply = { now }
local definitions = {}
local key, word = 0, 1
while words[word] do
  local head = tonumber(words[word])
  while head > 0 do
    local kind, limit, a, b = head % 8, tonumber(words[word + 1]), tonumber(words[word + 2]), 0
    word = word + 3
    if kind == 1 or kind == 5 then
      b = tonumber(words[word])
      word = word + 1
    end
    local units, blockMs = tonumber(words[word]), 0
    word = word + 1
    if head >= 16 then
      blockMs = tonumber(words[word])
      word = word + 1
    end
    definitions[#definitions + 1] = { kind, head % 16 >= 8, limit, a, b, units, blockMs }
    head = tonumber(words[word])
  end
  local policies, callers = -head % 16, math.floor(-head % 256 / 16)

  local blockedMs = 0
  if mode < 2 then
    for place = key + 1, key + callers do
      if stored[place] then blockedMs = math.max(blockedMs, redis.call('PTTL', keys[place]), 1) end
    end
  end
  key = key + callers

  local nextBlock = key + policies
  -- Of a caller that is blocked, no policy is asked.
  local asked = policies
  if blockedMs > 0 then
    reply[#reply + 1] = -1
    reply[#reply + 1] = blockedMs
    asked = 0
    for i = 1, policies do
      if definitions[tonumber(words[word + i])][7] > 0 then nextBlock = nextBlock + 1 end
    end
  end

  local admitted = true
  local plans = {}
  for i = 1, asked do
    local kind, isLenient, limit, a, b, units, blockMs = unpack(definitions[tonumber(words[word + i])])
    local held = written[keys[key + i]]
    if held == nil then held = stored[key + i] end
    -- What is taken, when all of it is given back, and when there is room for more; what to store, and when that counts for nothing any more.
    local taken, reset, retry, value, forgotten = 0, 0, 0, nil, nil
    -- As much of what is taken as cannot be taken back.
    local rest = 0
    -- How long the key is to be kept; 0 when it is kept for long enough as it is.
    local kept = nil

    if kind == 1 then
      local arrival, fraction, expiry = now, 0, 0
      if held then
        local whole, part
        whole, part, expiry = struct.unpack('>I7I4I7', held)
        -- The policy may have been changed since, and with it what a fraction is a part of.
        if whole >= now then arrival, fraction = whole, math.min(part, b - 1) end
      end
      local debt = (arrival - now) * b + fraction
      taken = math.ceil(debt / a)
      reset = math.ceil(debt / b)
      debt = math.max(0, debt + units * a)
      if debt > limit * a then retry = math.ceil((debt - limit * a) / b) end
      forgotten = math.ceil(debt / b)
      if expiry >= now + forgotten then
        kept = 0
      else
        -- A quarter of the time in which the whole limit comes back.
        kept = math.ceil((forgotten + limit * a / b / 4) / 1000) * 1000
        expiry = now + kept
      end
      value = struct.pack('>I7I4I7', now + math.floor(debt / b), debt % b, expiry)
    elseif kind == 2 then
      local width = math.ceil(a / 18)
      local newest = math.floor(now / width)
      local counts, last
      if held then
        counts = { struct.unpack(#held == NARROW_BYTES and NARROW or WIDE, held) }
        last = counts[1]
        newest = math.max(newest, last)
        for index = math.max(last + 1, newest - 18), newest do counts[2 + index % 19] = 0 end
        for place = 2, 20 do taken = taken + counts[place] end
        if taken > 0 then reset = (last + 19) * width - now end
      else
        counts = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
      end
      if taken + units > limit then
        -- The oldest leave first, each as a whole.
        local over, index = taken + units - limit, newest - 19
        while over > 0 and index < newest do
          index = index + 1
          over = over - counts[2 + index % 19]
        end
        retry = (index + 19) * width - now
      end
      local left = units
      -- What is taken back comes off the newest, which would stay longest.
      for index = newest, newest - 18, -1 do
        if left >= 0 then break end
        local off = math.min(-left, counts[2 + index % 19])
        counts[2 + index % 19] = counts[2 + index % 19] - off
        left = left + off
      end
      local place = 2 + newest % 19
      counts[place] = math.min(MOST, counts[place] + math.max(0, left))
      local isWide = limit > 65535 or counts[place] > 65535 or (held and #held ~= NARROW_BYTES)
      value = struct.pack(isWide and WIDE or NARROW, newest, unpack(counts, 2, 20))
      forgotten = (newest + 19) * width - now
      -- Four sub-windows have one expiry, that of the last of them.
      local four = math.floor(newest / 4)
      kept = (last and math.floor(last / 4) == four and #held == #value) and 0 or (4 * four + 22) * width - now
    elseif kind == 3 then
      local start = now
      if held then
        local began, counted = struct.unpack('>I7I4', held)
        -- One that holds nothing has not begun: units came back when no window was open, or all of its own did.
        if counted > 0 and now < began + a then start, taken, kept = began, counted, 0 end
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
          index, this, before, kept = number, counted, previous, 0
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

    local block, blockLeftMs = nil, 0
    if blockMs > 0 then
      nextBlock = nextBlock + 1
      block = keys[nextBlock]
      if written[block] then
        blockLeftMs = written[block]
      elseif stored[nextBlock] then
        blockLeftMs = math.max(redis.call('PTTL', block), 1)
      end
      if mode < 2 then retry = math.max(retry, 1000 * blockLeftMs) end
    end
    local fits = retry <= 0 or mode == 2
    if not fits and not isLenient then admitted = false end
    local forgottenMs = math.max(1, math.ceil(forgotten / 1000))
    local keptMs = kept and math.ceil(kept / 1000) or forgottenMs
    plans[i] = { fits, taken, rest, reset, retry, value, forgottenMs, keptMs, block, blockLeftMs }
  end

  if asked > 0 then reply[#reply + 1] = admitted and 1 or 0 end
  for i = 1, asked do
    local kind, isLenient, limit, a, _, units, blockMs = unpack(definitions[tonumber(words[word + i])])
    local fits, taken, rest, reset, retry, value, forgottenMs, keptMs, block, blockLeftMs = unpack(plans[i], 1, 10)
    local name = keys[key + i]
    if admitted and fits and mode > 0 then
      if kind < 6 then
        if keptMs == 0 then redis.call('SETRANGE', name, 0, value) else redis.call('SET', name, value, 'PX', keptMs) end
        written[name] = value
      elseif kind == 6 then
        redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('%.0f', value - a))
        if units < 0 then
          redis.call('ZPOPMAX', name, -units)
        else
          local score = string.format('%.0f', value)
          local twins = redis.call('ZCOUNT', name, score, score)
          for unit = twins + 1, twins + units do redis.call('ZADD', name, score, string.format('%s-%010.0f', score, unit)) end
        end
        redis.call('PEXPIRE', name, forgottenMs)
      elseif mode == 1 then
        redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('%.0f', now))
        redis.call('ZADD', name, string.format('%.0f', value), words[word + policies + 1])
        redis.call('PEXPIRE', name, math.max(forgottenMs, redis.call('PTTL', name)))
        units = 1
      else
        units = 0
      end
      taken = math.max(rest, taken + units)
      if kind < 7 then reset = taken > 0 and forgottenMs * 1000 or 0 end
    elseif mode == 1 and not fits and block and not isLenient and blockLeftMs == 0 then
      redis.call('SET', block, '1', 'PX', blockMs)
      redis.call('UNLINK', name)
      written[block], written[name] = blockMs, false
      retry = blockMs * 1000
    end
    -- A caller that is blocked has nothing left, whatever its counter says.
    reply[#reply + 1] = (blockLeftMs > 0 and mode < 2) and 0 or math.max(0, limit - taken)
    reply[#reply + 1] = math.ceil(reset / 1000)
    reply[#reply + 1] = fits and 0 or math.ceil(retry / 1000)
  end
  key = nextBlock
  word = word + policies + (-head >= 256 and 2 or 1)
end
return reply
