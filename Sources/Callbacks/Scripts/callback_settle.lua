-- Writes what came of sending a callback.
--
-- KEYS   1 outbox, 2 callbacks that were given up
-- ARGV   1 token of the claim, 2 id, 3 what came of it: delivered, retry, dead or release, 4 ms until
--        the next try, 5 the error, 6 seconds that one that was given up is kept, 7 how many are
-- reply  1, or 0 when the lease has passed to another or the callback is a newer one of the same id:
--        then nothing changes
--
-- Guarantees: said twice, it is done once. `release` gives a callback back that was not sent and
-- takes back the try.
local outbox, dead = KEYS[1], KEYS[2]
local token, id, what, delay, problem = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local dead_ttl, dead_limit = tonumber(ARGV[6]), tonumber(ARGV[7])
local body = outbox .. ':' .. id
for _, set in ipairs(KEYS) do
  local kind = redis.call('TYPE', set).ok
  if kind ~= 'none' and kind ~= 'zset' then
    return redis.error_reply('WRONGTYPE ' .. set .. ' is a ' .. kind .. ', not a zset')
  end
end
if redis.call('HGET', body, 'lease') ~= token then return 0 end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- One that is in the outbox again under the same id keeps its hash.
local function drop(ids)
  for _, old in ipairs(ids) do
    if not redis.call('ZSCORE', outbox, old) then redis.call('DEL', outbox .. ':' .. old) end
    redis.call('ZREM', dead, old)
  end
end

if what == 'delivered' then
  redis.call('ZREM', outbox, id)
  redis.call('ZREM', dead, id)
  redis.call('DEL', body)
elseif what == 'dead' then
  redis.call('ZADD', dead, now, id)
  redis.call('ZREM', outbox, id)
  redis.call('HDEL', body, 'lease')
  redis.call('HSET', body, 'last_error', problem)
  redis.call('EXPIRE', body, dead_ttl)
  drop(redis.call('ZRANGEBYSCORE', dead, '-inf', now - dead_ttl * 1000, 'LIMIT', 0, 100))
  local surplus = redis.call('ZCARD', dead) - dead_limit
  if surplus > 0 then drop(redis.call('ZRANGE', dead, 0, math.min(surplus, 100) - 1)) end
elseif what == 'retry' then
  redis.call('ZADD', outbox, now + delay, id)
  redis.call('HDEL', body, 'lease')
  redis.call('HSET', body, 'last_error', problem)
elseif what == 'release' then
  redis.call('ZADD', outbox, now, id)
  redis.call('HDEL', body, 'lease')
  redis.call('HINCRBY', body, 'tries', -1)
else
  return redis.error_reply('ERR what came of a callback cannot be ' .. what)
end
return 1
