-- Forgets dead letters that are old enough, the oldest first.
--
-- KEYS   1 queue
-- ARGV   12 age ms: what failed since then stays
-- reply  how many were forgotten; 100 when there may be more
--
-- Guarantees: the hashes of the jobs are left to their clients until they expire. What runs again
-- meanwhile is no dead letter any more and is not touched. At most 100 a call.
local queue = KEYS[1]
local wrong = queue_mistyped(queue)
if wrong then return wrong end
local dead = key.dead .. queue
local old = redis.call('ZRANGEBYSCORE', dead, '-inf', now - tonumber(ARGV[12]), 'LIMIT', 0, batch)
if #old == 0 then return 0 end
redis.call('ZREM', dead, unpack(old))
redis.call('HINCRBY', key.stat .. queue, 'purged', #old)
return #old
