-- Writes fields of a job that this worker has in hand.
--
-- KEYS   1 processing list of the worker, 2 job
-- ARGV   fields and values, alternating
-- reply  'ok'; 'lost' when the job is no longer in the list; 'gone' when its hash is, and now it is
--        in no list either
--
-- Guarantees: a worker that has lost the job writes nothing, and a hash that a client let expire is
-- not made again.
local processing, job = KEYS[1], KEYS[2]
if not redis.call('LPOS', processing, job) then return 'lost' end
if redis.call('TYPE', job).ok ~= 'hash' then
  redis.call('LREM', processing, 1, job)
  return 'gone'
end
redis.call('HSET', job, unpack(ARGV))
return 'ok'
