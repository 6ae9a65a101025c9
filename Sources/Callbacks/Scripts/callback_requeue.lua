-- Sends callbacks again that were given up, with all tries anew.
--
-- KEYS   1 outbox, 2 callbacks that were given up
-- ARGV   1 seconds that they are kept, then ids; without ids: the oldest 1000
-- reply  how many are in the outbox now
--
-- Guarantees: what was given up is in the outbox or forgotten, never in both sets; said twice, it is
-- done once. A newer callback of the same id, and one whose hash has expired, are left as they are.
local outbox, dead = KEYS[1], KEYS[2]
for _, set in ipairs(KEYS) do
  local kind = redis.call('TYPE', set).ok
  if kind ~= 'none' and kind ~= 'zset' then
    return redis.error_reply('WRONGTYPE ' .. set .. ' is a ' .. kind .. ', not a zset')
  end
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
if #ids == 0 then ids = redis.call('ZRANGE', dead, 0, 999) end

local count = 0
for _, id in ipairs(ids) do
  local body = outbox .. ':' .. id
  if redis.call('ZSCORE', dead, id) then
    -- One that is in the outbox under this id is a newer one; one without a hash has expired.
    if not redis.call('ZSCORE', outbox, id) and redis.call('TYPE', body).ok == 'hash' then
      redis.call('ZADD', outbox, now, id)
      redis.call('HSET', body, 'tries', 0)
      redis.call('EXPIRE', body, ARGV[1])
      count = count + 1
    end
    redis.call('ZREM', dead, id)
  end
end
return count
