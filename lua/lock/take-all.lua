--[[
  Take several locks whole, when nobody has one of them and nobody waits for one; else none.

  KEYS  locks...  string   the states, as `turn` keeps them
  ARGV  claim     string   who takes them
  ARGV  ttlMs     integer  for how long, in milliseconds
  REPLY integer  the fence of all of them, or 0 when one of them is not free
]]
local claim = ARGV[1]
local ttlMs = tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] .. string.sub('00000' .. time[2], -6)
local fence = now
for _, state in ipairs(redis.call('MGET', unpack(KEYS))) do
  if state then
    local last = string.sub(state, 1, 16)
    local lasts = string.match(state, ':(-?%d+)$', 18)
    -- A permit that is out is not looked at: its lease may have ended, which `turn` finds out.
    local isFree = #state == 17 or (lasts and last + lasts * 1000 <= tonumber(now))
    if string.byte(state, 17) ~= 48 or not isFree then return 0 end
    if fence <= last then fence = string.format('%.0f', last + 1) end
  end
end
local aheadMs = math.max(0, math.ceil((fence - now) / 1000))
local whose = claim .. string.format(':%.0f', ttlMs + (now - fence) / 1000)
for _, lock in ipairs(KEYS) do
  redis.call('SET', lock, fence .. '0' .. whose, 'PX', ttlMs + 60000 + aheadMs)
end
return tonumber(fence)
