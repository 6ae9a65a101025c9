-- Makes a job: its hash first, then its place in the queue.
--
-- KEYS   1 queue, 2 job
-- ARGV   fields and values, alternating
-- reply  'ok'; 'exists' when there is such a key already
--
-- Guarantees: a consumer that sees the key finds the hash; no existing job is overwritten.
local queue, job = KEYS[1], KEYS[2]
local kind = redis.call('TYPE', queue).ok
if kind ~= 'none' and kind ~= 'list' then
  return redis.error_reply('WRONGTYPE ' .. queue .. ' is a ' .. kind .. ', not a list')
end
if redis.call('EXISTS', job) == 1 then return 'exists' end
redis.call('HSET', job, unpack(ARGV))
redis.call('LPUSH', queue, job)
return 'ok'
