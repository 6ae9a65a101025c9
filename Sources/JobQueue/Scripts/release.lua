-- Puts a job back to the running end of its queue, as it was before it was claimed.
--
-- KEYS   1 queue, 2 processing list of the worker, 3 job
-- ARGV   1 worker, 2 time for the hash, 3 status before the claim
-- reply  'ok'; 'lost' when the job is no longer in the list; 'gone' when its hash is
--
-- Guarantees: the key is in exactly one of the two lists before and after. The earlier status is
-- restored, since consumers of zip archives know only `new` and `waiting`.
local queue, processing, job = KEYS[1], KEYS[2], KEYS[3]
local worker, now, status = ARGV[1], ARGV[2], ARGV[3]
local kind = redis.call('TYPE', queue).ok
if kind ~= 'none' and kind ~= 'list' then
  return redis.error_reply('WRONGTYPE ' .. queue .. ' is a ' .. kind .. ', not a list')
end
if redis.call('LREM', processing, 1, job) == 0 then return 'lost' end
if redis.call('TYPE', job).ok ~= 'hash' then return 'gone' end
redis.call('RPUSH', queue, job)
redis.call('HSET', job, 'status', status, 'updated_at', now, 'updated_by', worker)
redis.call('HDEL', job, 'progress')
return 'ok'
