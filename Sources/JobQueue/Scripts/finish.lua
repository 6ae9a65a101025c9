-- Writes the final state of a job and takes it off the worker's list, in one step.
--
-- KEYS   1 processing list of the worker, 2 job
-- ARGV   1 worker, 2 time of the end, then fields and values, alternating, status among them
-- reply  'ok'; 'lost' when another has the job; 'gone' when its hash no longer exists
--
-- Guarantees: clients see the final status together with everything that belongs to it; a final
-- status never changes; the same call sent twice, because its reply was lost, answers 'ok' twice.
local processing, job, worker, ended = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local kind = redis.call('TYPE', job).ok
local status, by, at
if kind == 'hash' then
  status, by, at = unpack(redis.call('HMGET', job, 'status', 'updated_by', 'finished_at'))
end

if not redis.call('LPOS', processing, job) then
  if by == worker and at == ended then return 'ok' end
  return 'lost'
end
if kind ~= 'hash' then
  redis.call('LREM', processing, 1, job)
  return 'gone'
end
if status == 'done' or status == 'failed' then
  redis.call('LREM', processing, 1, job)
  return 'lost'
end
redis.call('HSET', job, unpack(ARGV, 3))
redis.call('LREM', processing, 1, job)
return 'ok'
